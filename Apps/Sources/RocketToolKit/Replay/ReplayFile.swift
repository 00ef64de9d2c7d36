import RocketBinaryLog
import RocketProgram
import RocketSystem

/// The calls of a binary log that can be made again, and what is left out. A value.
struct ReplayFile: Sendable {
    /// The longest file, in bytes.
    private static let maxBytes = 2 << 30

    /// In the order in which they began.
    private(set) var calls: [LoggedCall] = []
    /// What is left out, and why, for a person.
    private(set) var notes: [String] = []
    private(set) var skipped = 0

    /// Reads a file.
    ///
    /// - Throws: `ProgramFailure` for a file that can't be read (noInput), and for one that is no
    ///   binary log, with the offset (dataError). The last entry may be incomplete.
    init(_ path: String) throws(ProgramFailure) {
        let bytes: [UInt8]
        do { bytes = try FileContents.read(path, limit: Self.maxBytes) } catch {
            throw ProgramFailure("\(path) can't be read: \(error.errno.text)", status: .noInput)
        }
        if bytes.count > Self.maxBytes {
            throw ProgramFailure("\(path) has more than \(Self.maxBytes) bytes", status: .dataError)
        }
        do throws(BinaryLogError) { self = try Self.read(bytes) } catch {
            throw ProgramFailure("\(path): \(error)", status: .dataError)
        }
    }

    private init() {}

    /// Reads a log.
    static func read(_ bytes: [UInt8]) throws(BinaryLogError) -> ReplayFile {
        var (reader, log) = (BinaryLogReader(bytes), LoggedCalls())
        while let entry = try reader.next() { log.add(entry) }
        var file = ReplayFile()
        if reader.isTruncated {
            file.notes.append(
                "the file ends within an entry, which begins at byte \(reader.offset): the calls before "
                    + "it are used")
        }
        file.calls = log.calls.filter(\.request.isWhole)
            .enumerated().sorted {
                ($0.element.beganAt, $0.offset) < ($1.element.beganAt, $1.offset)
            }.map(\.element)
        file.skip(log.streams, "with streams")
        file.skip(log.cancelled, "without a reply, because they were cancelled")
        file.skip(log.unfinished, "without an end in the file")
        file.skip(
            log.calls.count - file.calls.count, "without the request, which was too large")
        return file
    }

    /// Leaves calls out.
    mutating func keep(_ reason: String, where isKept: (LoggedCall) -> Bool) {
        let count = calls.count
        calls.removeAll { !isKept($0) }
        skip(count - calls.count, reason)
    }

    private mutating func skip(_ count: Int, _ reason: String) {
        if count == 0 { return }
        skipped += count
        notes.append("left out: \(count) \(count == 1 ? "call" : "calls") \(reason)")
    }
}
