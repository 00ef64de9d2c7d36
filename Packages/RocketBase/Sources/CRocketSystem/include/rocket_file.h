// Calls on files that Swift's Glibc module lacks, because they need _GNU_SOURCE.
#ifndef ROCKET_FILE_H
#define ROCKET_FILE_H

/// Renames a file unless one of the new name exists (renameat2(2), RENAME_NOREPLACE). Returns 0, or
/// -1 with errno (EEXIST; EINVAL or ENOSYS: the file system can't do it).
int rocket_rename_new(const char *path, const char *other);

/// Creates a pipe whose ends are closed on exec (pipe2(2)). Returns 0, or -1 with errno.
int rocket_pipe(int ends[2]);

#endif
