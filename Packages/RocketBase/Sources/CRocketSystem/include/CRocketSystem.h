// System interfaces that Swift's Glibc module lacks: thin functions and constants, one header per
// topic.
#ifndef CROCKETSYSTEM_H
#define CROCKETSYSTEM_H
#include "rocket_civil.h"
#include "rocket_crc32c.h"
#include "rocket_file.h"
#include "rocket_process.h"
#include "rocket_signal.h"
#include "rocket_socket.h"
#include "rocket_thread.h"
#include "rocket_wait.h"
#endif
