/// The disk of a simulated host (`Host.disk`): files by their paths, with what is on the disk and what
/// is not yet. Bound to one thread. What happens depends on its calls and on the generator of a loss of power
/// only.
///
/// What survives:
///
/// - `kill`, the end of the process: everything that was written.
/// - `losePower`, the end of the machine: what was synced. Of the changes of a file since its last
///   sync each one survives or is lost, whatever happens to those before and behind it. Some writes
///   are torn: each sector of 512 bytes, as far as the write covers it, survives or is lost. Bytes
///   outside of a write don't change. A hole that a lost write leaves before one that has survived
///   reads as zeros.
/// - Creating, removing and renaming a file is on the disk at once; the bytes of a file that is
///   renamed are not.
/// - A sync that fails keeps the changes for the next one, or drops them (`syncFailure`).
public final class SimulatedDisk {
    private var files: [String: DiskFile] = [:]
    /// Bytes by which files may still grow together; nil, the default: no limit. A write beyond
    /// fails with `DiskError.full` as a whole.
    public var freeBytes: Int?
    /// Whether writes and truncations fail with `DiskError.failed`. Default false.
    public var failsWrites = false
    /// How syncs fail, with `DiskError.failed`; nil, the default: they don't.
    public var syncFailure: DiskSyncFailure?
    /// Whether syncs succeed and write nothing, as on a disk whose cache is volatile and reports
    /// otherwise. Default false.
    public var ignoresSyncs = false
    /// What it has done.
    public private(set) var counts = DiskCounts()
    /// Operations that could change it: writes, truncations, syncs, and those on names.
    public private(set) var operationCount = 0
    /// Whether all operations fail, from an operation of `stop` on to `kill` or `losePower`.
    public private(set) var isStopped = false
    private var stopsAt: Int?
    private var onStop: () -> Void = {}

    /// An empty disk.
    public init() {}

    /// The paths of all files, sorted.
    public var paths: [String] { files.keys.sorted() }

    // MARK: Files

    /// Returns the size of a file in bytes; nil: there is none.
    public func size(of path: String) -> Int? { files[path]?.content.count }

    /// Returns the bytes of a file, also those that are not synced.
    ///
    /// - Throws: `.missing`, `.stopped`.
    public func contents(of path: String) throws(DiskError) -> [UInt8] {
        try requireRunning()
        return try file(path).content
    }

    /// Returns up to `count` bytes of a file from `offset` on: fewer at its end.
    ///
    /// - Throws: `.missing`, `.stopped`.
    public func read(_ count: Int, of path: String, at offset: Int) throws(DiskError) -> [UInt8] {
        try requireRunning()
        let bytes = try file(path).content
        let begin = min(max(0, offset), bytes.count)
        return Array(bytes[begin..<begin + min(max(0, count), bytes.count - begin)])
    }

    /// Creates a file, or replaces it, with bytes that are on the disk at once: what was there before
    /// the simulation began.
    ///
    /// - Throws: `.stopped`.
    public func create(_ path: String, _ bytes: [UInt8] = []) throws(DiskError) {
        _ = try begin()
        files[path] = DiskFile(bytes)
    }

    /// Writes bytes at an offset, a negative one counts as 0. Creates the file if it is missing.
    ///
    /// - Throws: `.full`, `.failed`, `.stopped`: if this operation is the one that stops the disk,
    ///   the bytes may be written nevertheless.
    public func write(
        _ bytes: [UInt8], to path: String, at offset: Int
    ) throws(DiskError) {
        let isLast = try begin()
        counts.writes += 1
        let offset = max(0, offset)
        var file = files[path] ?? DiskFile([])
        let growth = max(0, offset + bytes.count - file.content.count)
        if failsWrites { throw failure(.failed) }
        if let freeBytes, growth > freeBytes { throw failure(.full) }
        files[path] = nil
        file.write(bytes, at: offset)
        files[path] = file
        freeBytes = freeBytes.map { $0 - growth }
        if isLast { throw .stopped }
        counts.bytesWritten += bytes.count
    }

    /// Sets the size of a file, filled up with zeros.
    ///
    /// - Throws: `.missing`, `.full`, `.failed`, `.stopped`.
    public func truncate(_ path: String, to size: Int) throws(DiskError) {
        if try begin() { throw .stopped }
        let growth = max(0, size) - (try file(path).content.count)
        if failsWrites { throw failure(.failed) }
        if let freeBytes, growth > freeBytes { throw failure(.full) }
        files[path]?.truncate(to: max(0, size))
        freeBytes = freeBytes.map { $0 - growth }
    }

    /// Brings all changes of a file to the disk.
    ///
    /// - Throws: `.missing`, `.failed`, `.stopped`.
    public func sync(_ path: String) throws(DiskError) {
        if try begin() { throw .stopped }
        counts.syncs += 1
        _ = try file(path)
        if let syncFailure {
            if syncFailure == .dropping { files[path]?.dropUnsynced() }
            throw failure(.failed)
        }
        if !ignoresSyncs { files[path]?.sync() }
    }

    /// Removes a file.
    ///
    /// - Throws: `.missing`, `.stopped`.
    public func remove(_ path: String) throws(DiskError) {
        if try begin() { throw .stopped }
        let size = try file(path).content.count
        files[path] = nil
        freeBytes = freeBytes.map { $0 + size }
    }

    /// Renames a file, and replaces one of the new name.
    ///
    /// - Throws: `.missing`, `.stopped`.
    public func rename(_ path: String, to other: String) throws(DiskError) {
        if try begin() { throw .stopped }
        let renamed = try file(path)
        let replaced = path == other ? 0 : size(of: other) ?? 0
        files[path] = nil
        files[other] = renamed
        freeBytes = freeBytes.map { $0 + replaced }
    }

    // MARK: Ends

    /// Stops the disk in the middle of the operation behind `count` further ones, whichever it is;
    /// all fail from then on. That operation has happened if it is a write, and has not otherwise.
    /// No effect if the disk is killed or loses its power before.
    ///
    /// - Parameter then: is called within that operation: schedules the end of the process or of the
    ///   machine.
    public func stop(afterOperations count: Int, then: @escaping () -> Void = {}) {
        stopsAt = operationCount + max(0, count)
        onStop = then
    }

    /// Ends the process that uses the disk: what was written stays. The disk runs again. A host
    /// does this (`Host.kill`).
    public func kill() {
        counts.kills += 1
        restart()
    }

    /// Ends the machine: what was not synced survives, is lost or is torn by the generator. The disk
    /// runs again. A host does this (`Host.losePower`).
    public func losePower(using generator: inout some RandomNumberGenerator) {
        counts.powerLosses += 1
        for path in paths {
            guard var file = files.removeValue(forKey: path) else { continue }
            let before = file.content.count
            counts.bytesLost += file.losePower(using: &generator)
            freeBytes = freeBytes.map { $0 + before - file.content.count }
            files[path] = file
        }
        restart()
    }

    private func restart() {
        isStopped = false
        cancelStop()
    }

    /// Does not stop any more: what it would do then may refer to its host.
    func cancelStop() {
        stopsAt = nil
        onStop = {}
    }

    // MARK: -

    private func file(_ path: String) throws(DiskError) -> DiskFile {
        guard let file = files[path] else { throw failure(.missing) }
        return file
    }

    private func failure(_ error: DiskError) -> DiskError {
        counts.failures += 1
        return error
    }

    private func requireRunning() throws(DiskError) { if isStopped { throw .stopped } }

    /// Counts an operation.
    ///
    /// - Returns: whether the disk stops in the middle of it.
    private func begin() throws(DiskError) -> Bool {
        try requireRunning()
        operationCount += 1
        guard let stopsAt, operationCount > stopsAt else { return false }
        isStopped = true
        onStop()
        return true
    }
}
