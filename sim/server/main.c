// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * eie-device: the Verilated engine as a PCI device of a virtual machine.
 * Serves one connection, and exits when the machine closes it.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "transport.h"

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static const char usage[] =
	"usage: eie-device --transport vfio-user|virtio-pcidev [OPTION]... SOCKET\n"
	"\n"
	"Waits on the Unix socket SOCKET for a virtual machine, and is its PCI device until the machine closes the connection.\n"
	"\n"
	"  --transport vfio-user      qemu-system-x86_64 -device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"SOCKET\"}}'\n"
	"  --transport virtio-pcidev  linux virtio_uml.device=SOCKET:1234  (user-mode Linux, CONFIG_UML_PCI_OVER_VIRTIO)\n"
	"  --config NAME              configuration of the engine (default: 8x8)\n"
	"  --latency N                cycles a memory access takes (default: 64)\n"
	"  --stall N                  chance in 1000 that a cycle of the bus is lost\n"
	"  --jitter N                 up to that many further cycles a memory access takes\n"
	"  --seed N                   of what is random in the two\n"
	"\n"
	"Example: eie-device --transport virtio-pcidev --config 2x2 /tmp/eie.sock\n";

static _Noreturn void bad_usage(const char *what, const char *value)
{
	fprintf(stderr, "eie-device: %s%s%s\nTry 'eie-device --help'.\n", what, value ? " " : "", value ? value : "");
	exit(2);
}

static unsigned long long number(const char *option, const char *text)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-') {
		fprintf(stderr, "eie-device: --%s '%s' is not a number\n", option, text);
		exit(2);
	}
	return v;
}

static const struct transport *find_transport(const char *name)
{
	if (name && !strcmp(name, transport_vfio_user.name))
		return &transport_vfio_user;
	if (name && !strcmp(name, transport_pcidev.name))
		return &transport_pcidev;
	bad_usage(name ? "unknown transport" : "--transport is missing", name);
}

/* 0 when the machine closed the connection or a signal asked us to end; 1 after an error, which was told. */
static int serve(struct function *f, const struct transport *transport, void *ctx)
{
	while (!stopped) {
		struct pollfd fds[TRANSPORT_FDS];
		unsigned int n = transport->pollfds(ctx, fds);
		uint64_t due;
		int ret;

		ret = poll(fds, n, function_wants_clock(f) ? 0 : -1);
		if (ret < 0 && errno != EINTR) {
			perror("eie-device: poll");
			return 1;
		}
		ret = ret > 0 ? transport->serve(ctx, fds) : 0;
		if (ret == -ECONNRESET)
			return 0;
		if (ret) {
			fprintf(stderr, "eie-device: %s: %s\n", transport->name, strerror(-ret));
			return 1;
		}
		due = function_run(f);
		for (unsigned int v = 0; v < f->engine.nvectors; v++) {
			if (due >> v & 1)
				transport->interrupt(ctx, v);
		}
	}
	return 0;
}

static int accept_one(const char *path)
{
	int listener = message_listen(path), sock = -1;

	if (listener < 0) {
		fprintf(stderr, "eie-device: %s: %s\n", path, strerror(-listener));
		return -1;
	}
	while (!stopped && sock < 0) {
		sock = accept(listener, NULL, NULL);
		if (sock < 0 && errno != EINTR) {
			perror("eie-device: accept");
			break;
		}
	}
	close(listener);
	unlink(path);
	return sock;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "transport", required_argument, NULL, 't' },
		{ "config", required_argument, NULL, 'c' },
		{ "latency", required_argument, NULL, 'l' },
		{ "stall", required_argument, NULL, 's' },
		{ "jitter", required_argument, NULL, 'j' },
		{ "seed", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const struct sigaction on_stop = { .sa_handler = stop };
	struct eie_sim_params params = { .config = NULL };
	static struct function f;
	const struct transport *transport;
	const char *name = NULL;
	void *ctx;
	int c, sock, ret;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 't': name = optarg; break;
		case 'c': params.config = optarg; break;
		case 'l': params.latency = (unsigned int)number("latency", optarg); break;
		case 's': params.stall_permille = (unsigned int)number("stall", optarg); break;
		case 'j': params.jitter = (unsigned int)number("jitter", optarg); break;
		case 'r': params.seed = number("seed", optarg); break;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs("Try 'eie-device --help'.\n", stderr); return 2;
		}
	}
	if (argc - optind != 1)
		bad_usage(argc == optind ? "SOCKET is missing" : "too many arguments:", argv[optind + (argc > optind)]);
	transport = find_transport(name);
	/* no SA_RESTART: poll and accept must return */
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGINT, &on_stop, NULL);

	ret = function_create(&f, &params);
	if (ret) {
		fprintf(stderr, "eie-device: configuration '%s': %s; there are:", params.config, strerror(-ret));
		for (const char *const *p = eie_sim_configs(); *p; p++)
			fprintf(stderr, " %s", *p);
		fputc('\n', stderr);
		return 1;
	}
	sock = accept_one(argv[optind]);
	if (sock < 0)
		return !stopped;
	ctx = transport->open(&f, sock);
	if (!ctx) {
		fputs("eie-device: out of memory\n", stderr);
		return 1;
	}
	ret = serve(&f, transport, ctx);
	fprintf(stderr, "eie-device: %u register reads, %u writes, %u bursts (%u failed), %u messages (%u lost), %llu cycles\n",
		f.engine.mmio_reads, f.engine.mmio_writes, f.engine.bursts, f.engine.bad_bursts, f.interrupts, f.lost,
		(unsigned long long)eie_sim_cycles(f.engine.sim));
	if (eie_sim_assert_failed(f.engine.sim)) {
		fputs("eie-device: an assertion of the RTL has failed\n", stderr);
		ret = 1;
	}
	transport->close(ctx);
	close(sock);
	function_destroy(&f);
	return ret;
}
