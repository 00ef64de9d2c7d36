#ifndef ROCKET_SIMULATED_SQLITE_H
#define ROCKET_SIMULATED_SQLITE_H

#include <sqlite3.h>

/// What a simulated disk does with the operations of SQLite. The functions return SQLITE_OK, or the
/// code with which the operation fails before it reaches the real file. Paths are those of the real
/// files. All of them are called by the thread that uses SQLite.
typedef struct {
    void *context;
    /// A real file was opened, or created.
    int (*opened)(void *context, const char *path);
    /// Anything is read.
    int (*read)(void *context);
    int (*write)(void *context, const char *path, const void *bytes, int count,
                 sqlite3_int64 offset);
    int (*truncate)(void *context, const char *path, sqlite3_int64 size);
    int (*sync)(void *context, const char *path);
    int (*remove)(void *context, const char *path);
    /// Milliseconds since 1970.
    sqlite3_int64 (*now)(void *context);
} rocket_disk_hooks;

/// A VFS of SQLite that asks the hooks and then does the same on real files.
typedef struct rocket_simulated_vfs rocket_simulated_vfs;

/// Registers a VFS under a name that no other has; NULL: there is no memory.
rocket_simulated_vfs *rocket_simulated_vfs_create(const char *name, rocket_disk_hooks hooks);

/// The process that has the VFS has ended: what it has opened neither reads nor writes any more, and
/// nothing can be opened, removed or found.
void rocket_simulated_vfs_end_process(rocket_simulated_vfs *vfs);

/// Another process begins.
void rocket_simulated_vfs_begin_process(rocket_simulated_vfs *vfs);

/// Frees the VFS, whose files must be closed.
void rocket_simulated_vfs_free(rocket_simulated_vfs *vfs);

/// Seeds SQLite's generator of random numbers, which the whole process shares. Not 0.
void rocket_seed_sqlite(unsigned seed);

/// Writes the path without symbolic links into `resolved` (4096 bytes). Returns 0, or -1.
int rocket_resolved_path(const char *path, char *resolved);

/// Removes a folder and all that is in it; what can't be removed stays.
void rocket_remove_tree(const char *path);

#endif
