import CSimulatedSQLite
import RocketSimulation
import RocketSystem

/// The files of a simulated host as SQLite has them open: real ones in a folder, and beside each of
/// them its model on the host's disk, which decides what is left after the end of a process. Bound to
/// the world's thread.
///
/// The store creates, links, renames and removes some files itself; the model follows when SQLite
/// opens them, and before the next process. Files that SQLite has never opened are on the disk at
/// once. The shared memory of a write-ahead log is no part of the disk.
@safe final class SimulatedFiles {
    /// SQLite's name of them: for `OrderStoreConfiguration.vfs`.
    let vfsName: String
    /// The folder, without symbolic links. The disk's paths begin below it.
    let folder: String
    private let disk: SimulatedDisk
    /// The calendar of the host, from the first process on.
    private var time: (any TimeSource)?
    private var vfs: OpaquePointer?
    /// How the hooks find this object.
    private let context: UnsafeMutablePointer<Context>
    /// The disk's paths of the real files, by their inodes.
    private var known: [UInt64: String] = [:]
    /// The real files at the moment at which the process has ended, or the disk has stopped.
    private var left: [RealFile]?
    private var mustRestore = false

    fileprivate struct Context {
        unowned let files: SimulatedFiles
    }

    private struct RealFile {
        let path: String
        let inode: UInt64
    }

    private static let count = Locked(0)

    init(on disk: SimulatedDisk, folder: String) {
        self.disk = disk
        self.folder = folder
        vfsName = "simulated-\(Self.nextNumber())"
        unsafe context = .allocate(capacity: 1)
        unsafe context.initialize(to: Context(files: self))
        var hooks = unsafe Self.hooks
        // SAFETY: the VFS ends with this object, and no longer than it are its files open.
        unsafe hooks.context = UnsafeMutableRawPointer(context)
        unsafe vfs = rocket_simulated_vfs_create(vfsName, hooks)
        unsafe precondition(vfs != nil, "SQLite has no memory for a VFS")
    }

    deinit {
        unsafe rocket_simulated_vfs_free(vfs)
        unsafe context.deinitialize(count: 1)
        unsafe context.deallocate()
    }

    private static func nextNumber() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    // MARK: The real folder

    /// Makes a folder for temporary files, and returns its path without symbolic links.
    static func makeFolder() throws(SystemError) -> String {
        let name = "rocket-simulation-\(CurrentProcess.processID)-\(nextNumber())"
        let folder = (ProcessEnvironment.current["TMPDIR"] ?? "/tmp") + "/" + name
        try FileSystem.makeFolder(folder)
        return resolved(folder)
    }

    /// Removes a folder and what is in it.
    static func remove(_ folder: String) { unsafe rocket_remove_tree(folder) }

    // MARK: Processes

    /// Lets a process open files: after an end, those with the bytes that the disk has kept.
    func beginProcess(time: any TimeSource) throws(SystemError) {
        self.time = time
        if mustRestore {
            adoptNames()
            try restore()
        }
        mustRestore = false
        left = nil
        unsafe rocket_simulated_vfs_begin_process(vfs)
    }

    /// Ends the process: nothing that it has opened changes anything from now on.
    func endProcess() {
        unsafe rocket_simulated_vfs_end_process(vfs)
        rememberFiles()
        mustRestore = true
    }

    /// Gives the disk the names that the real files had at the end of the process.
    private func adoptNames() {
        let files = left ?? []
        for file in files { try? adopt(file) }
        let names = Set(files.map(\.path))
        for path in known.values.sorted() where !names.contains(path) {
            try? disk.remove(path)
            forget(path)
        }
    }

    private func restore() throws(SystemError) {
        unsafe rocket_remove_tree(folder)
        try FileSystem.makeFolder(folder)
        let paths = known.values.sorted()
        known = [:]
        for path in paths {
            guard let bytes = try? disk.contents(of: path) else { continue }
            let real = folder + "/" + path
            try FileSystem.makeFolder(FileSystem.folder(of: real), mode: 0o750)
            try FileContents.write(bytes, to: real)
            try FileSystem.setMode(real, 0o600)
            if let status = try FileSystem.status(of: real) { known[status.inode] = path }
        }
    }

    /// Keeps what real files there are, once for each process: what the store does to them after the
    /// disk has stopped has not happened.
    private func rememberFiles() {
        if left != nil { return }
        var files: [RealFile] = []
        func look(in folder: String, _ prefix: String) {
            for name in ((try? FileSystem.names(in: folder)) ?? []).sorted() {
                let real = folder + "/" + name
                guard let status = try? FileSystem.status(of: real) else { continue }
                if status.isFolder {
                    look(in: real, prefix + name + "/")
                } else if !name.hasSuffix("-shm") {
                    files.append(RealFile(path: prefix + name, inode: status.inode))
                }
            }
        }
        look(in: folder, "")
        left = files
    }

    /// Lets the disk have a real file under its name.
    private func adopt(_ file: RealFile) throws {
        let old = known[file.inode]
        if old == file.path, disk.size(of: file.path) != nil { return }
        let bytes = try FileContents.read(folder + "/" + file.path, limit: 1 << 40)
        forget(file.path)
        known[file.inode] = file.path
        // A file that has another name now, unless the inode was used again.
        if let old, let size = disk.size(of: old), left != nil || size == bytes.count {
            try disk.rename(old, to: file.path)
        } else {
            try disk.create(file.path, bytes)
        }
    }

    fileprivate func forget(_ path: String) {
        // determinism: what is left in the dictionary has no order
        known = known.filter { $0.value != path }
    }

    private static func resolved(_ path: String) -> String {
        var bytes = [CChar](repeating: 0, count: 4096)
        // SAFETY: the buffer has as many bytes as the function may write.
        let code = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe rocket_resolved_path(path, $0.baseAddress)
        }
        if code != 0 { return path }
        return String(
            decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

// MARK: - Operations of SQLite

extension SimulatedFiles {
    // SAFETY: SQLite passes the context of the VFS, which is the object that has made it, paths that
    // end with NUL, and as many bytes as it says.
    private static var hooks: rocket_disk_hooks {
        unsafe rocket_disk_hooks(
            context: nil,
            opened: { unsafe files($0).opened(name($1)) },
            read: { unsafe files($0).perform(SQLITE_IOERR) { () throws(DiskError) in } },
            write: { context, path, bytes, count, offset in
                let bytes = unsafe Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
                return unsafe files(context).perform(SQLITE_IOERR | 3 << 8, name(path)) {
                    (disk, path) throws(DiskError) in
                    try disk.write(bytes, to: path, at: Int(offset))
                }
            },
            truncate: { context, path, size in
                unsafe files(context).perform(SQLITE_IOERR | 6 << 8, name(path)) {
                    (disk, path) throws(DiskError) in try disk.truncate(path, to: Int(size))
                }
            },
            sync: { context, path in
                unsafe files(context).perform(SQLITE_IOERR | 4 << 8, name(path)) {
                    (disk, path) throws(DiskError) in try disk.sync(path)
                }
            },
            remove: { context, path in unsafe files(context).removed(name(path)) },
            now: { unsafe (files($0).time?.wall().nanoseconds ?? 0) / 1_000_000 })
    }

    fileprivate func opened(_ real: String) -> Int32 {
        perform(SQLITE_CANTOPEN, real) { (_, path) throws(DiskError) in
            guard !disk.isStopped else { throw .stopped }
            guard let status = try? FileSystem.status(of: real) else { throw .missing }
            do { try adopt(RealFile(path: path, inode: status.inode)) } catch let error as DiskError
            {
                throw error
            } catch {
                throw .failed
            }
        }
    }

    fileprivate func removed(_ real: String) -> Int32 {
        perform(SQLITE_IOERR | 10 << 8, real) { (disk, path) throws(DiskError) in
            guard disk.size(of: path) != nil else {
                if disk.isStopped { throw .stopped }
                return
            }
            try disk.remove(path)
            forget(path)
        }
    }

    /// Runs an operation on the disk's path of a real file.
    ///
    /// - Parameter code: SQLite's code for a failure of it.
    fileprivate func perform(
        _ code: Int32, _ real: String,
        _ body: (SimulatedDisk, String) throws(DiskError) -> Void
    ) -> Int32 {
        guard real.hasPrefix(folder + "/") else { return SQLITE_OK }
        let path = String(real.dropFirst(folder.utf8.count + 1))
        return perform(code) { () throws(DiskError) in try body(disk, path) }
    }

    fileprivate func perform(_ code: Int32, _ body: () throws(DiskError) -> Void) -> Int32 {
        do throws(DiskError) {
            if disk.isStopped { throw .stopped }
            try body()
            return SQLITE_OK
        } catch {
            if error == .stopped { rememberFiles() }
            return error == .full ? SQLITE_FULL : code
        }
    }
}

private func files(_ context: UnsafeMutableRawPointer?) -> SimulatedFiles {
    guard let context = unsafe context else { preconditionFailure("a VFS has its files") }
    // SAFETY: the hooks' context is the one of the VFS, which its files have initialized.
    return unsafe context.assumingMemoryBound(to: SimulatedFiles.Context.self).pointee.files
}

private func name(_ path: UnsafePointer<CChar>?) -> String {
    unsafe path.map { unsafe String(cString: $0) } ?? ""
}
