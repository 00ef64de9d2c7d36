// The symbolic names and texts of error numbers: constant strings, safe in any thread.
#ifndef ROCKET_ERRNO_H
#define ROCKET_ERRNO_H

/// strerrorname_np(3): "EAGAIN", or NULL for a number that is none.
const char *rocket_errno_name(int number);
/// strerrordesc_np(3): untranslated text, or NULL.
const char *rocket_errno_text(int number);
#endif
