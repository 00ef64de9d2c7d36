import ArgumentParser
import RocketBase
import RocketProgram
import RocketSystem

/// `rocket record`.
struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record calls of a running server in a file.",
        discussion: """
            Unary calls, with metadata, request and reply, in gRPC's binary log format \
            (grpc.binarylog.v1.GrpcLogEntry, each behind its size in four bytes). Calls of methods \
            with streams are counted, and not recorded. rocket replay makes the calls again.

            The server must allow it: root/admin/record of its configuration, on the page in \
            admin/listen. It masks fields before the calls leave it: those of admin/record_mask, and \
            those of --mask. A masked text is recorded as ***, a masked message as an empty one, any \
            other field is left out. Metadata whose names say that they are secrets (authorization, \
            cookie, token and the like) is never recorded.

            --mask password masks all fields of that name in all messages, --mask card.number those in \
            a field card, --mask .name only those of requests and replies themselves.

            It ends with --calls, --size, --duration or Ctrl-C. The file is readable by its owner only.

            EXAMPLES:
              rocket record unix:/run/order_server/admin.sock -o calls.binlog --duration 1m
              rocket record 127.0.0.1:9100 --method 'shop.v1.Order.*' --sample 1/100 \\
                --mask card.number --mask password -o calls.binlog
            """)

    @Argument(
        help: ArgumentHelp(
            "IP:PORT or unix:PATH, as in admin/listen; https://HOST:PORT with admin/tls.",
            valueName: "address"))
    var address: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The file. One that exists is overwritten.", valueName: "file"),
        completion: .file())
    var output: String

    @Option(
        help: ArgumentHelp(
            "The methods: package.Service.method or package.Service.*; may be repeated.",
            discussion: "Default: all but those of the framework itself, such as health checks.",
            valueName: "pattern"))
    var method: [String] = []

    @Option(
        help: ArgumentHelp(
            "One of so many calls, at random: 1/100. Default: all.", valueName: "share"))
    var sample: SampleArgument?

    @Option(help: ArgumentHelp("End after so many calls.", valueName: "number"))
    var calls: Int?

    @Option(help: ArgumentHelp("End after that time.", valueName: "duration"))
    var duration: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "End before the file is larger: 500k, 64m, 2g. Default: 64m.", valueName: "bytes"))
    var size: ByteCountArgument?

    @Option(
        help: ArgumentHelp(
            "Leave larger messages out, up to 1m. Default: 64k.",
            discussion:
                "Such a call is recorded with the size of the message, and can't be replayed.",
            valueName: "bytes"))
    var maxMessage: ByteCountArgument?

    @Option(help: ArgumentHelp("A field that is masked; may be repeated.", valueName: "path"))
    var mask: [String] = []

    @Option(
        help: ArgumentHelp("Metadata that is left out; may be repeated.", valueName: "name"))
    var maskMetadata: [String] = []

    @OptionGroup(title: "TLS") var tls: TLSOptions

    func validate() throws {
        try tls.validateForPage()
        if let calls, calls < 1 { throw ValidationError("--calls is 1 or more") }
        if let maxMessage, maxMessage.bytes > 1 << 20 {
            throw ValidationError("--max-message is at most 1m")
        }
        if let size, size.bytes < 1 { throw ValidationError("--size is 1 or more") }
    }

    func run() async throws {
        let tls = tls.settings
        let place = try AdminAddress(argument: address, tls: tls)
        let isInterrupted = Locked(false)
        let (file, fields, limit) = (output, self.fields, duration?.duration)
        let recording = Task {
            var session = try RecordingSession(
                client: try AdminClient(place, tls: tls), fields: fields, file: file)
            return try await session.run(for: limit) { isInterrupted.withLock { $0 } }
        }
        try await Interruption().whileRunning(cancel: { isInterrupted.withLock { $0 = true } }) {
            let outcome = try await recording.value
            outcome.lines(file: file).forEach {
                StandardError.write(line: TerminalText.safe($0), level: .info)
            }
        }
    }

    private var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { fields.append((name, value)) }
        }
        add("method", method.joined(separator: ","))
        add("sample", (sample?.calls).map { "\($0)" })
        add("calls", calls.map { "\($0)" })
        add("size", (size?.bytes).map { "\($0)" })
        add("max_message", (maxMessage?.bytes).map { "\($0)" })
        add("mask", mask.joined(separator: ","))
        add("mask_metadata", maskMetadata.joined(separator: ","))
        return fields
    }
}

/// Which share of the calls is recorded: `1/100`, or `100`. A value.
struct SampleArgument: ExpressibleByArgument, Hashable, Sendable {
    /// One of so many calls.
    let calls: Int

    init?(argument: String) {
        let digits = argument.hasPrefix("1/") ? argument.dropFirst(2) : argument[...]
        guard let calls = Int(digits), (1...1_000_000).contains(calls) else { return nil }
        self.calls = calls
    }
}
