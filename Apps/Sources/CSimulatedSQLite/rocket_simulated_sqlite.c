#define _XOPEN_SOURCE 700

#include "rocket_simulated_sqlite.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rocket_simulated_vfs {
    sqlite3_vfs base;
    sqlite3_vfs *real;
    rocket_disk_hooks hooks;
    char *name;
    /// The process that has the VFS now; files of earlier ones are dead.
    unsigned process;
    int is_running;
};

/// One open file; the real one is behind it in the same memory.
typedef struct {
    sqlite3_file base;
    rocket_simulated_vfs *vfs;
    /// SQLite keeps it until the file is closed; NULL: a temporary file, which no disk has.
    const char *path;
    unsigned process;
} open_file;

enum { FILE_BYTES = (sizeof(open_file) + 15) / 16 * 16 };

static sqlite3_file *real_file(sqlite3_file *file) {
    return (sqlite3_file *)((char *)file + FILE_BYTES);
}

static const sqlite3_io_methods *methods(sqlite3_file *file) {
    return real_file(file)->pMethods;
}

static int is_alive(const open_file *file) {
    return file->vfs->is_running && file->process == file->vfs->process;
}

// MARK: Files

static int file_close(sqlite3_file *base) { return methods(base)->xClose(real_file(base)); }

static int file_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    open_file *file = (open_file *)base;
    if (!is_alive(file)) return SQLITE_IOERR_READ;
    int code = file->path ? file->vfs->hooks.read(file->vfs->hooks.context) : SQLITE_OK;
    if (code != SQLITE_OK) return code;
    return methods(base)->xRead(real_file(base), bytes, count, offset);
}

static int file_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    open_file *file = (open_file *)base;
    if (!is_alive(file)) return SQLITE_IOERR_WRITE;
    const rocket_disk_hooks *hooks = &file->vfs->hooks;
    int code = file->path ? hooks->write(hooks->context, file->path, bytes, count, offset)
                          : SQLITE_OK;
    if (code != SQLITE_OK) return code;
    return methods(base)->xWrite(real_file(base), bytes, count, offset);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    open_file *file = (open_file *)base;
    if (!is_alive(file)) return SQLITE_IOERR_TRUNCATE;
    const rocket_disk_hooks *hooks = &file->vfs->hooks;
    int code = file->path ? hooks->truncate(hooks->context, file->path, size) : SQLITE_OK;
    if (code != SQLITE_OK) return code;
    return methods(base)->xTruncate(real_file(base), size);
}

/// The real file is not synced: its bytes need not survive anything.
static int file_sync(sqlite3_file *base, int flags) {
    open_file *file = (open_file *)base;
    if (!is_alive(file)) return SQLITE_IOERR_FSYNC;
    const rocket_disk_hooks *hooks = &file->vfs->hooks;
    return file->path ? hooks->sync(hooks->context, file->path) : SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
    if (!is_alive((open_file *)base)) return SQLITE_IOERR_FSTAT;
    return methods(base)->xFileSize(real_file(base), size);
}

static int file_lock(sqlite3_file *base, int lock) {
    if (!is_alive((open_file *)base)) return SQLITE_IOERR_LOCK;
    return methods(base)->xLock(real_file(base), lock);
}

static int file_unlock(sqlite3_file *base, int lock) {
    return methods(base)->xUnlock(real_file(base), lock);
}

static int file_check_reserved_lock(sqlite3_file *base, int *result) {
    if (!is_alive((open_file *)base)) return SQLITE_IOERR_CHECKRESERVEDLOCK;
    return methods(base)->xCheckReservedLock(real_file(base), result);
}

static int file_control(sqlite3_file *base, int operation, void *argument) {
    // Would extend the real file only.
    if (operation == SQLITE_FCNTL_SIZE_HINT || operation == SQLITE_FCNTL_CHUNK_SIZE)
        return SQLITE_OK;
    if (!is_alive((open_file *)base)) return SQLITE_IOERR;
    return methods(base)->xFileControl(real_file(base), operation, argument);
}

static int file_sector_size(sqlite3_file *base) { return 4096; }

/// The disk tears writes at their sectors, and never changes bytes outside of them.
static int file_device_characteristics(sqlite3_file *base) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// The shared memory of a write-ahead log is no part of the disk: it ends with its process.

static int file_shm_map(sqlite3_file *base, int page, int size, int extend, void volatile **map) {
    if (!is_alive((open_file *)base)) return SQLITE_IOERR_SHMMAP;
    return methods(base)->xShmMap(real_file(base), page, size, extend, map);
}

static int file_shm_lock(sqlite3_file *base, int offset, int count, int flags) {
    if (!is_alive((open_file *)base) && !(flags & SQLITE_SHM_UNLOCK)) return SQLITE_IOERR_SHMLOCK;
    return methods(base)->xShmLock(real_file(base), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *base) {
    methods(base)->xShmBarrier(real_file(base));
}

static int file_shm_unmap(sqlite3_file *base, int removes) {
    // By its name it may be the one of another process.
    if (!is_alive((open_file *)base)) removes = 0;
    return methods(base)->xShmUnmap(real_file(base), removes);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_device_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

// MARK: The file system

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *opened, int flags,
                    int *result) {
    rocket_simulated_vfs *vfs = (rocket_simulated_vfs *)base;
    open_file *file = (open_file *)opened;
    memset(file, 0, FILE_BYTES);
    if (!vfs->is_running) return SQLITE_CANTOPEN;
    file->vfs = vfs;
    file->path = path;
    file->process = vfs->process;
    sqlite3_file *real = real_file(opened);
    int code = vfs->real->xOpen(vfs->real, path, real, flags, result);
    if (code == SQLITE_OK && path != NULL) {
        code = vfs->hooks.opened(vfs->hooks.context, path);
        if (code != SQLITE_OK) {
            real->pMethods->xClose(real);
            return code;
        }
    }
    // With its methods set, SQLite closes a file that was not opened.
    if (real->pMethods != NULL) file->base.pMethods = &file_methods;
    return code;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int syncs) {
    rocket_simulated_vfs *vfs = (rocket_simulated_vfs *)base;
    if (!vfs->is_running) return SQLITE_IOERR_DELETE;
    int code = vfs->hooks.remove(vfs->hooks.context, path);
    if (code != SQLITE_OK) return code;
    return vfs->real->xDelete(vfs->real, path, 0);
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *result) {
    rocket_simulated_vfs *vfs = (rocket_simulated_vfs *)base;
    if (!vfs->is_running) return SQLITE_IOERR_ACCESS;
    int code = vfs->hooks.read(vfs->hooks.context);
    if (code != SQLITE_OK) return code;
    return vfs->real->xAccess(vfs->real, path, flags, result);
}

static int vfs_full_pathname(sqlite3_vfs *base, const char *path, int count, char *full) {
    sqlite3_vfs *real = ((rocket_simulated_vfs *)base)->real;
    return real->xFullPathname(real, path, count, full);
}

/// For names of temporary files; other random numbers come from `rocket_seed_sqlite`.
static int vfs_randomness(sqlite3_vfs *base, int count, char *bytes) {
    memset(bytes, 0, count);
    return count;
}

/// Nothing else runs meanwhile, so nothing is gained by waiting.
static int vfs_sleep(sqlite3_vfs *base, int microseconds) { return microseconds; }

static int vfs_current_time_int64(sqlite3_vfs *base, sqlite3_int64 *milliseconds) {
    rocket_simulated_vfs *vfs = (rocket_simulated_vfs *)base;
    // Since noon of 24 November 4714 BC.
    *milliseconds = 210866760000000 + vfs->hooks.now(vfs->hooks.context);
    return SQLITE_OK;
}

static int vfs_current_time(sqlite3_vfs *base, double *days) {
    sqlite3_int64 milliseconds;
    vfs_current_time_int64(base, &milliseconds);
    *days = milliseconds / 86400000.0;
    return SQLITE_OK;
}

static int vfs_get_last_error(sqlite3_vfs *base, int count, char *text) { return 0; }

rocket_simulated_vfs *rocket_simulated_vfs_create(const char *name, rocket_disk_hooks hooks) {
    sqlite3_vfs *real = sqlite3_vfs_find("unix");
    rocket_simulated_vfs *vfs = calloc(1, sizeof *vfs);
    char *copy = strdup(name);
    if (real == NULL || vfs == NULL || copy == NULL) {
        free(vfs);
        free(copy);
        return NULL;
    }
    vfs->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = FILE_BYTES + real->szOsFile,
        .mxPathname = real->mxPathname,
        .zName = copy,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_current_time,
        .xGetLastError = vfs_get_last_error,
        .xCurrentTimeInt64 = vfs_current_time_int64,
    };
    vfs->real = real;
    vfs->hooks = hooks;
    vfs->name = copy;
    sqlite3_vfs_register(&vfs->base, 0);
    return vfs;
}

void rocket_simulated_vfs_end_process(rocket_simulated_vfs *vfs) {
    vfs->is_running = 0;
    vfs->process += 1;
}

void rocket_simulated_vfs_begin_process(rocket_simulated_vfs *vfs) { vfs->is_running = 1; }

void rocket_simulated_vfs_free(rocket_simulated_vfs *vfs) {
    sqlite3_vfs_unregister(&vfs->base);
    free(vfs->name);
    free(vfs);
}

// MARK: The rest

void rocket_seed_sqlite(unsigned seed) {
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)seed, NULL);
}

int rocket_resolved_path(const char *path, char *resolved) {
    return realpath(path, resolved) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *status, int type,
                        struct FTW *position) {
    remove(path);
    return 0;
}

void rocket_remove_tree(const char *path) {
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
