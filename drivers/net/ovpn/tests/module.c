// SPDX-License-Identifier: GPL-2.0-only
/* OpenVPN data channel offload: all KUnit suites are one module */

#include <linux/module.h>

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of the OpenVPN data channel offload");
MODULE_LICENSE("GPL");
