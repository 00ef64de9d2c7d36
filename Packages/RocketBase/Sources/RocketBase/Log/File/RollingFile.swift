import RocketSystem

/// One stream's current file: what is written to it, when the next one begins, what is lost while
/// the disk fails. Confined to the writer, as the sink that owns it.
final class RollingFile {
    private let folder: LogFolder
    private let settings: LogConfiguration.File
    private var buffer: TextBuffer
    private var file: OpenFile?
    /// The file being written, or the one to be opened next.
    private var name: LogFileName
    /// Whether a failed open was tried in this batch already.
    private var hasTriedOpening = false
    private(set) var health = LogSinkHealth()

    /// A file that is open, and its size.
    private struct OpenFile: ~Copyable {
        let descriptor: FileDescriptor
        var size: Int
    }

    /// Opens the file to go on with.
    ///
    /// - Throws: whatever keeps the folder from being made or the file from being opened.
    init(
        _ settings: LogConfiguration.File, stream: LogStream, date: CivilDate, maxLineBytes: Int
    ) throws(SystemError) {
        self.settings = settings
        folder = LogFolder(path: settings.folder, prefix: "\(settings.name)_\(stream.name)")
        buffer = TextBuffer(maxLineBytes: maxLineBytes)
        name = LogFileName(prefix: folder.prefix, date: date, index: 0)
        try FileSystem.makeFolder(folder.path)
        name = try folder.latest(on: date)
        try open()
        removeOld()
    }

    var descriptor: Int32? { file?.descriptor.raw }

    // MARK: - Lines

    func append(_ event: borrowing LogEvent) {
        let date = event.date
        // Never back: a line of before midnight may come late, a clock may be set back.
        if date > name.date { begin(date) }
        if !buffer.hasRoom(for: event) { writeOut() }
        guard buffer.hasRoom(for: event) else { return health.lose(1) }
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

    /// The next file of the day; the buffer's last line is its first.
    private func begin(afterAllBut length: Int) {
        writeOut(allBut: length)
        begin(LogFileName(prefix: folder.prefix, date: name.date, index: name.index + 1))
    }

    /// The first file of a new day, or the one to go on with.
    private func begin(_ date: CivilDate) {
        writeOut()
        begin(LogFileName(prefix: folder.prefix, date: date, index: 0))
    }

    private func begin(_ next: LogFileName) {
        close()
        // Others may have written there, and this process may have before a clock went back.
        name = max(next, (try? folder.latest(on: next.date)) ?? next)
        openIfNeeded()
        if file != nil { removeOld() }
    }

    /// The file may have been renamed or removed by others: opens what stands under its name now.
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
        let descriptor = try FileSystem.openForAppending(folder.path(of: name))
        var size = try descriptor.fileSize()
        if size > 0 {
            // A crash may have left half a line: what follows begins a line of its own.
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
            try FileSystem.makeFolder(folder.path)
            try open()
        } catch {
            hasTriedOpening = true
            health.fail(error)
        }
    }

    private func close() {
        guard let file = file.take() else { return }
        do throws(SystemError) { try file.descriptor.close() } catch { health.fail(error) }
    }

    /// Writes the buffer without its last `length` bytes, and forgets it, written or not.
    private func writeOut(allBut length: Int = 0) {
        defer { buffer.keepLast(length) }
        guard buffer.count > length else { return }
        openIfNeeded()
        unsafe buffer.withBytes(before: length) { unsafe write($0) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) {
        guard let descriptor = file?.descriptor.raw, let size = file?.size else {
            return unsafe health.lose(bytes.lines.count)
        }
        let (written, error) = unsafe RawWrite.all(
            bytes, to: descriptor, waitingAtMost: .zero)
        guard let error else {
            file?.size = size + written
            return health.succeed()
        }
        // Whole lines stay, half a line goes: the next one must not be glued to it.
        let (complete, end) = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<written]).lines
        let all = unsafe bytes.lines.count
        file?.size = size + written
        if end < written, (try? file?.descriptor.truncate(to: size + end)) != nil {
            file?.size = size + end
        }
        health.fail(error)
        health.lose(all - complete)
    }
}
