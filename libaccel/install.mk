# SPDX-License-Identifier: GPL-2.0 OR MIT
# What a machine gets: make install [PREFIX=] [LIBDIR=] [DESTDIR=], make deb.

PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
MANDIR  ?= $(PREFIX)/share/man
UDEVDIR ?= $(PREFIX)/lib/udev/rules.d
VERSION := $(shell sed -n 's/.*return "\(.*\)";/\1/p' libaccel/src/version.c)
D       := $(DESTDIR)

$(BUILD)/accel.pc: libaccel/accel.pc.in libaccel/install.mk install_force
	sed -e '/SPDX/d' -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS@|$(LIB_LIBS)|' $< > $@

# A page for every function, from the header; the date is that of eie(1).
$(BUILD)/man3/accel.3: libaccel/man3.awk libaccel/include/accel.h docs/man/eie.1
	@rm -rf $(@D) && mkdir -p $(@D)
	awk -v dir=$(@D) -v version=$(VERSION) -v date=$$(awk '$$1 == ".TH" { print $$4 }' docs/man/eie.1) -f $< libaccel/include/accel.h

install: all $(BUILD)/accel.pc $(BUILD)/man3/accel.3
	install -d $(D)$(PREFIX)/bin $(D)$(LIBDIR)/pkgconfig $(D)$(PREFIX)/include $(D)$(MANDIR)/man1 $(D)$(MANDIR)/man3 $(D)$(UDEVDIR) \
		$(D)$(PREFIX)/share/bash-completion/completions $(D)$(PREFIX)/share/doc/eie
	install -m 755 $(BUILD)/eie $(D)$(PREFIX)/bin/
	install -m 644 $(BUILD)/$(SONAME) $(BUILD)/libeie_sim.so $(BUILD)/libaccel.a $(D)$(LIBDIR)/
	ln -sf $(SONAME) $(D)$(LIBDIR)/libaccel.so
	install -m 644 $(BUILD)/accel.pc $(D)$(LIBDIR)/pkgconfig/
	install -m 644 libaccel/include/accel.h $(D)$(PREFIX)/include/
	install -m 644 docs/man/*.1 $(D)$(MANDIR)/man1/
	install -m 644 $(BUILD)/man3/*.3 $(D)$(MANDIR)/man3/
	install -m 644 libaccel/completion/eie.bash $(D)$(PREFIX)/share/bash-completion/completions/eie
	install -m 644 libaccel/60-eie-accel.rules $(D)$(UDEVDIR)/
	install -m 644 README.md docs/*.md $(D)$(PREFIX)/share/doc/eie/

.PHONY: install install_force

# Debian packages into build/deb, from what `make` built.
deb: all
	rm -rf $(BUILD)/deb
	debian/rules binary
	debian/rules clean
	@ls -l $(BUILD)/deb
.PHONY: deb
