// SPDX-License-Identifier: GPL-2.0
/*
 * EIE in an SoC or its FPGA, found in the devicetree: registers and one interrupt line.
 */
#include <linux/clk.h>
#include <linux/interrupt.h>
#include <linux/mod_devicetable.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/reset.h>

#include <drm/drm_drv.h>

#include "eie_device.h"
#include "eie_ring.h"

/* Nothing but the reset line is between the device and the memory. */
static void eie_platform_quiesce(struct eie_device *edev)
{
	reset_control_assert(edev->reset);
}

static const struct eie_bus eie_platform_bus = {
	.quiesce = eie_platform_quiesce,
	.level_irq = true,
};

static int eie_platform_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct eie_device *edev;
	void __iomem *regs;
	struct clk *clk;
	int irq, ret;

	edev = eie_device_alloc(dev);
	if (IS_ERR(edev))
		return PTR_ERR(edev);
	platform_set_drvdata(pdev, edev);

	regs = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(regs))
		return PTR_ERR(regs);
	clk = devm_clk_get_optional_enabled(dev, NULL);
	if (IS_ERR(clk))
		return dev_err_probe(dev, PTR_ERR(clk), "no clock\n");
	edev->reset = devm_reset_control_get_optional_exclusive(dev, NULL);
	if (IS_ERR(edev->reset))
		return dev_err_probe(dev, PTR_ERR(edev->reset), "no reset\n");
	ret = reset_control_deassert(edev->reset);
	if (ret)
		return dev_err_probe(dev, ret, "reset line\n");
	irq = platform_get_irq(pdev, 0);
	if (irq < 0)
		return irq;

	ret = eie_device_init(edev, regs, &eie_platform_bus);
	if (ret)
		return ret;
	ret = devm_request_irq(dev, irq, eie_device_level_irq, 0, "eie", edev);
	if (ret)
		return ret;
	pm_runtime_get_noresume(dev);
	pm_runtime_set_active(dev);
	ret = devm_pm_runtime_enable(dev);
	if (!ret)
		ret = eie_device_register(edev);
	if (ret) {
		pm_runtime_put_noidle(dev);
		return ret;
	}
	pm_runtime_put_autosuspend(dev);
	return 0;
}

static void eie_platform_remove(struct platform_device *pdev)
{
	pm_runtime_get_sync(&pdev->dev);
	eie_device_remove(platform_get_drvdata(pdev));
	pm_runtime_put_noidle(&pdev->dev);
}

static void eie_platform_shutdown(struct platform_device *pdev)
{
	pm_runtime_get_sync(&pdev->dev);
	eie_device_shutdown(platform_get_drvdata(pdev));
}

static const struct dev_pm_ops eie_platform_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(eie_device_suspend, eie_device_resume)
	RUNTIME_PM_OPS(eie_device_runtime_suspend, eie_device_runtime_resume, NULL)
};

static const struct of_device_id eie_platform_ids[] = {
	{ .compatible = "eie,eie-1.0" },
	{ }
};
MODULE_DEVICE_TABLE(of, eie_platform_ids);

static struct platform_driver eie_platform_driver = {
	.probe = eie_platform_probe,
	.remove = eie_platform_remove,
	.shutdown = eie_platform_shutdown,
	.driver = {
		.name = "eie",
		.of_match_table = eie_platform_ids,
		.pm = pm_ptr(&eie_platform_pm_ops),
	},
};

int eie_platform_register(void)
{
	return platform_driver_register(&eie_platform_driver);
}

void eie_platform_unregister(void)
{
	platform_driver_unregister(&eie_platform_driver);
}
