// What Swift's Glibc module lacks, one header a topic: thin functions and constants only.
#ifndef CROCKETSYSTEM_H
#define CROCKETSYSTEM_H
#include "rocket_civil.h"
#include "rocket_crc32c.h"
#include "rocket_epoll.h"
#include "rocket_errno.h"
#include "rocket_futex.h"
#include "rocket_signal.h"
#include "rocket_socket.h"
#include "rocket_thread.h"
#include "rocket_usage.h"
#include "rocket_thread_signals.h"
#include "rocket_thread_state.h"
#endif
