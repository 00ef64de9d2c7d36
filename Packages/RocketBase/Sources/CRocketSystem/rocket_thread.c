#define _GNU_SOURCE
#include "rocket_thread.h"
#include <unistd.h>

pid_t rocket_gettid(void) { return gettid(); }
