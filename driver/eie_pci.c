// SPDX-License-Identifier: GPL-2.0
/*
 * EIE on PCI: BAR 0, one message for each queue and one for faults.
 */
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include <drm/drm_drv.h>

#include "eie_device.h"
#include "eie_ring.h"

static void eie_pci_quiesce(struct eie_device *edev)
{
	pci_clear_master(to_pci_dev(edev->drm.dev));
}

static const struct eie_bus eie_pci_bus = {
	.quiesce = eie_pci_quiesce,
};

static void eie_pci_free_vectors(void *pdev)
{
	pci_free_irq_vectors(pdev);
}

static int eie_pci_request_irqs(struct pci_dev *pdev, struct eie_device *edev)
{
	unsigned int i, n = edev->num_rings + 1;
	struct device *dev = &pdev->dev;
	int ret;

	ret = pci_alloc_irq_vectors(pdev, n, n, PCI_IRQ_MSIX);
	if (ret < 0)
		return dev_err_probe(dev, ret, "no %u MSI-X vectors\n", n);
	ret = devm_add_action_or_reset(dev, eie_pci_free_vectors, pdev);
	if (ret)
		return ret;
	for (i = 0; i < edev->num_rings; i++) {
		ret = devm_request_irq(dev, pci_irq_vector(pdev, i), eie_ring_irq, 0,
				       edev->rings[i].name, &edev->rings[i]);
		if (ret)
			return ret;
	}
	return devm_request_irq(dev, pci_irq_vector(pdev, i), eie_device_fault_irq, 0,
				"eie-fault", edev);
}

static int eie_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct eie_device *edev;
	void __iomem *regs;
	int ret;

	edev = eie_device_alloc(dev);
	if (IS_ERR(edev))
		return PTR_ERR(edev);
	pci_set_drvdata(pdev, edev);

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	if (pci_resource_len(pdev, 0) < EIE_BAR_BYTES)
		return dev_err_probe(dev, -ENODEV, "BAR 0 has %llu bytes, not %u\n",
				     (u64)pci_resource_len(pdev, 0), EIE_BAR_BYTES);
	regs = pcim_iomap_region(pdev, 0, "eie");
	if (IS_ERR(regs))
		return PTR_ERR(regs);
	pci_set_master(pdev);

	ret = eie_device_init(edev, regs, &eie_pci_bus);
	if (ret)
		return ret;
	ret = eie_pci_request_irqs(pdev, edev);
	if (ret)
		return ret;
	ret = eie_device_register(edev);
	if (ret)
		return ret;
	/* the core holds a reference for drivers that know nothing of runtime PM */
	pm_runtime_allow(dev);
	pm_runtime_put_autosuspend(dev);
	return 0;
}

static void eie_pci_remove(struct pci_dev *pdev)
{
	struct eie_device *edev = pci_get_drvdata(pdev);
	struct device *dev = &pdev->dev;

	if (eie_device_wake(edev))
		pm_runtime_get_noresume(dev);
	pm_runtime_forbid(dev);
	pm_runtime_dont_use_autosuspend(dev);
	eie_device_remove(edev);
}

static void eie_pci_shutdown(struct pci_dev *pdev)
{
	pm_runtime_get_sync(&pdev->dev);
	eie_device_shutdown(pci_get_drvdata(pdev));
}

static int eie_pci_runtime_resume(struct device *dev)
{
	int ret = eie_device_runtime_resume(dev);

	/* a device that loses its state asks for what was saved at every attempt to resume */
	if (ret)
		to_pci_dev(dev)->state_saved = true;
	return ret;
}

static const struct dev_pm_ops eie_pci_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(eie_device_suspend, eie_device_resume)
	RUNTIME_PM_OPS(eie_device_runtime_suspend, eie_pci_runtime_resume, NULL)
};

static const struct pci_device_id eie_pci_ids[] = {
	{ PCI_DEVICE(EIE_PCI_VENDOR, EIE_PCI_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, eie_pci_ids);

static struct pci_driver eie_pci_driver = {
	.name = "eie",
	.id_table = eie_pci_ids,
	.probe = eie_pci_probe,
	.remove = eie_pci_remove,
	.shutdown = eie_pci_shutdown,
	.driver.pm = pm_ptr(&eie_pci_pm_ops),
};

int eie_pci_register(void)
{
	return pci_register_driver(&eie_pci_driver);
}

void eie_pci_unregister(void)
{
	pci_unregister_driver(&eie_pci_driver);
}
