import FoundationEssentials
import RocketProgram
import RocketSystem

/// A recording on the page of a server: asks for what was recorded, and writes it to a file.
struct RecordingSession: ~Copyable {
    /// How long it waits between two questions; the server keeps 8 MiB meanwhile.
    private static let interval = Duration.milliseconds(100)
    private static let path = "/record"

    private let client: AdminClient
    private let file: RecordedFile
    private let id: String
    /// Those that are in the file.
    private var calls = 0

    /// Begins a recording.
    ///
    /// - Throws: `ProgramFailure` if the server refuses it, or the file can't be created.
    init(
        client: consuming AdminClient, fields: [(name: String, value: String)], file: String
    ) throws(ProgramFailure) {
        let id = try Self.read(client.post(Self.path, fields)).outcome.recording
        do throws(ProgramFailure) { self.file = try RecordedFile(file) } catch {
            Self.stop(id, client)
            throw error
        }
        self.client = client
        self.id = id
    }

    /// Writes what is recorded, until the server ends it, the time has passed, or `isInterrupted`.
    mutating func run(
        for limit: Duration?, isInterrupted: @Sendable () -> Bool
    ) async throws -> RecordingOutcome {
        let time = SystemTimeSource()
        let end = limit.map { time.monotonic() + $0 }
        while true {
            let isOver = isInterrupted() || end.map { time.monotonic() >= $0 } ?? false
            var fields = [(name: "id", value: id)]
            if isOver { fields.append((name: "stop", value: "1")) }
            let (outcome, entries) = try next(fields)
            do throws(ProgramFailure) { try file.append(entries) } catch {
                Self.stop(id, client)
                throw error
            }
            calls = outcome.calls
            if outcome.ended != nil { return outcome }
            if entries.isEmpty { try? await Task.sleep(for: Self.interval) }
        }
    }

    /// Asks for what was recorded since.
    private func next(
        _ fields: [(name: String, value: String)]
    ) throws(ProgramFailure) -> (outcome: RecordingOutcome, entries: ArraySlice<UInt8>) {
        do throws(ProgramFailure) { return try Self.read(client.post(Self.path, fields)) } catch {
            throw ProgramFailure(
                "\(error); the file has the \(calls) calls before", status: error.status)
        }
    }

    private static func stop(_ id: String, _ client: borrowing AdminClient) {
        _ = try? client.post(path, [(name: "id", value: id), (name: "stop", value: "1")])
    }

    /// Separates the line of JSON from the entries behind it.
    private static func read(
        _ answer: [UInt8]
    ) throws(ProgramFailure) -> (outcome: RecordingOutcome, entries: ArraySlice<UInt8>) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let end = answer.firstIndex(of: UInt8(ascii: "\n")),
            let outcome = try? decoder.decode(RecordingOutcome.self, from: Data(answer[..<end]))
        else {
            throw ProgramFailure(
                "the answer is not that of a recording: it may be another program, or another version",
                status: .protocolError)
        }
        return (outcome, answer[(end + 1)...])
    }
}

/// What a server says of a recording. A value.
struct RecordingOutcome: Decodable, Hashable, Sendable {
    let recording: String
    /// Why it has ended: calls, size, stopped.
    let ended: String?
    let calls: Int
    let bytes: Int
    let dropped: Int
    let cancelled: Int
    let streams: Int
    let omittedMessages: Int
    let unmaskableMessages: Int

    /// What is printed at the end.
    func lines(file: String) -> [String] {
        var lines = ["\(file): \(calls) calls, \(bytes) bytes"]
        if ended == "size" { lines.append("the limit of --size is reached") }
        let counts = [
            (dropped, "calls were dropped: the server's memory for them (8 MiB) was used up"),
            (cancelled, "calls were cancelled, and are not recorded"),
            (streams, "calls of methods with streams are not recorded"),
            (omittedMessages, "messages were larger than --max-message, and are left out"),
            (
                unmaskableMessages,
                "messages could not be masked, since the server does not have their descriptors, and "
                    + "are left out"
            ),
        ]
        return lines + counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    }
}

/// The file of a recording, readable by its owner only.
struct RecordedFile: ~Copyable {
    private let path: String
    private let descriptor: FileDescriptor

    /// - Throws: `ProgramFailure` (cannotCreate).
    init(_ path: String) throws(ProgramFailure) {
        self.path = path
        descriptor = try Self.open(path)
    }

    private static func open(_ path: String) throws(ProgramFailure) -> FileDescriptor {
        do throws(SystemError) {
            let opened = try FileSystem.openForWriting(path)
            try opened.truncate(to: 0)
            return opened
        } catch {
            throw ProgramFailure(
                "\(path) can't be written: \(error.errno.text)", status: .cannotCreate)
        }
    }

    /// - Throws: `ProgramFailure` (ioError).
    func append(_ bytes: ArraySlice<UInt8>) throws(ProgramFailure) {
        // SAFETY: the call only reads the bytes of the slice.
        let (_, error) = unsafe bytes.withUnsafeBytes {
            unsafe RawWrite.all($0, to: descriptor.raw, waitingAtMost: .seconds(10))
        }
        if let error {
            throw ProgramFailure("\(path) can't be written: \(error.errno.text)", status: .ioError)
        }
    }
}
