import RocketSystem

/// The current file of one stream: writes lines, starts the next file, and counts the lines lost
/// while the disk fails. Confined to the writer, as the sink that owns it.
final class RollingFile {
    private let folder: LogFolder
    private let settings: LogConfiguration.File
    private var buffer: TextBuffer
    private var file: OpenFile?
    /// The name of the open file, or of the one to open next.
    private var name: LogFileName
    /// Whether an attempt to open the file failed in this batch.
    private var hasTriedOpening = false
    private(set) var health = LogSinkHealth()

    /// An open file and its size.
    private struct OpenFile: ~Copyable {
        let descriptor: FileDescriptor
        var size: Int
    }

    /// Opens the last file of the day, or its first one.
    ///
    /// - Throws: `SystemError` when the folder can't be created or the file can't be opened.
    init(
        _ settings: LogConfiguration.File, stream: LogStream, date: CivilDate, maxLineBytes: Int
    ) throws(SystemError) {
        self.settings = settings
        folder = LogFolder(path: settings.folder, prefix: "\(settings.name)_\(stream.name)")
        buffer = TextBuffer(maxLineBytes: maxLineBytes)
        name = LogFileName(prefix: folder.prefix, date: date, index: 0)
        try FileSystem.makeFolder(folder.path, mode: settings.folderMode)
        name = try folder.latest(on: date)
        try open()
        removeOld()
    }

    var descriptor: Int32? { file?.descriptor.raw }

    // MARK: - Lines

    func append(_ event: borrowing LogEvent) {
        let date = event.date
        // Never an earlier date: a line from before midnight may arrive late, and the clock may be
        // set back.
        if date > name.date { begin(date) }
        if !buffer.hasRoom(for: event) { writeOut() }
        guard buffer.hasRoom(for: event) else { return health.recordLoss(of: 1) }
        let length = buffer.append(event, .plain)
        let before = (file?.size ?? 0) + buffer.count - length
        if before > 0, before + length > settings.maxBytes { begin(afterAllBut: length) }
    }

    func endBatch() -> LogSinkNotice? {
        writeOut()
        hasTriedOpening = false
        return health.takeNotice()
    }

    // MARK: - The next file

    /// Starts the next file of the day; its first line is the last one in the buffer.
    private func begin(afterAllBut length: Int) {
        writeOut(allBut: length)
        begin(LogFileName(prefix: folder.prefix, date: name.date, index: name.index + 1))
    }

    /// Starts the first file of a day, or continues its last one.
    private func begin(_ date: CivilDate) {
        writeOut()
        begin(LogFileName(prefix: folder.prefix, date: date, index: 0))
    }

    private func begin(_ next: LogFileName) {
        close()
        // Another process may have created files of that day, or this one before its clock was set
        // back.
        name = max(next, (try? folder.latest(on: next.date)) ?? next)
        openIfNeeded()
        if file != nil { removeOld() }
    }

    /// Opens the file again by its name, because it may have been renamed or removed.
    func reopen() {
        writeOut()
        close()
        openIfNeeded()
    }

    private func removeOld() {
        folder.removeOld(
            keeping: settings.maxFiles, bytes: settings.maxTotalBytes, current: name,
            ofAtMost: settings.maxBytes)
    }

    // MARK: - The disk

    private func open() throws(SystemError) {
        let descriptor = try FileSystem.openForAppending(
            folder.path(of: name), mode: settings.mode)
        var size = try descriptor.fileSize()
        if size > 0 {
            // A crash may have left a partial line: end it, so that the next line starts anew.
            if try FileSystem.lastByte(of: folder.path(of: name)) != UInt8(ascii: "\n") {
                size += unsafe [UInt8(ascii: "\n")].withUnsafeBytes {
                    unsafe RawWrite.all($0, to: descriptor.raw, waitingAtMost: .zero).written
                }
            }
        }
        file = OpenFile(descriptor: descriptor, size: size)
    }

    private func openIfNeeded() {
        guard file == nil, !hasTriedOpening else { return }
        do throws(SystemError) {
            try FileSystem.makeFolder(folder.path, mode: settings.folderMode)
            try open()
        } catch {
            hasTriedOpening = true
            health.recordFailure(error)
        }
    }

    private func close() {
        guard let file = file.take() else { return }
        do throws(SystemError) { try file.descriptor.close() } catch { health.recordFailure(error) }
    }

    /// Writes the buffer without its last `length` bytes and discards these bytes, also after a
    /// failure.
    private func writeOut(allBut length: Int = 0) {
        defer { buffer.keepLast(length) }
        guard buffer.count > length else { return }
        openIfNeeded()
        unsafe buffer.withBytes(before: length) { unsafe write($0) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) {
        guard let descriptor = file?.descriptor.raw, let size = file?.size else {
            return unsafe health.recordLoss(of: bytes.lines.count)
        }
        let (written, error) = unsafe RawWrite.all(
            bytes, to: descriptor, waitingAtMost: .zero)
        guard let error else {
            file?.size = size + written
            return health.recordSuccess()
        }
        // Keep whole lines and remove a partial one, which would otherwise join the next line.
        let (complete, end) = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<written]).lines
        let all = unsafe bytes.lines.count
        file?.size = size + written
        if end < written, (try? file?.descriptor.truncate(to: size + end)) != nil {
            file?.size = size + end
        }
        health.recordFailure(error)
        health.recordLoss(of: all - complete)
    }
}
