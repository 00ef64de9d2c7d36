#define _GNU_SOURCE
#include "rocket_errno.h"
#include <string.h>

const char *rocket_errno_name(int number) { return strerrorname_np(number); }
const char *rocket_errno_text(int number) { return strerrordesc_np(number); }
