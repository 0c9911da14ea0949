/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * lwIP includes it and needs nothing of it as it is configured here. */
