import ArgumentParser
import RocketBase
import RocketCodec
import RocketProgram
import RocketRPC

/// The options that say how a server is called.
struct ServerOptions: ParsableArguments {
    /// The longest message in both directions, in bytes.
    private static let maxMessageBytes = 64 << 20

    @Flag(help: "Call by gRPC in place of TinyPB.")
    var grpc = false

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp(
            "Metadata of the call, 'name: value' or name=value; may be repeated.",
            discussion: "The value of a name that ends in -bin is base64.",
            valueName: "name: value"),
        transform: MetadataEntry.init)
    var metadata: [MetadataEntry] = []

    @Option(
        help: ArgumentHelp(
            "The longest that the call may take: 500ms, 2s.",
            discussion: "Default: 10s, and no limit for streams.", valueName: "duration"))
    var timeout: DurationArgument?

    @Flag(help: "Wait for a server that can't be reached, until the time-out of the call.")
    var waitForReady = false

    @Option(
        help: ArgumentHelp(
            "Metadata 'idempotency-key': the call may be sent again after a lost connection.",
            valueName: "key"))
    var idempotencyKey: String?

    @Option(
        help: ArgumentHelp(
            "What the server is: rocket-swift, or the C++ rocket or tinyrpc.",
            discussion: "Default: rocket-swift.", valueName: "peer"),
        completion: .list(PeerKind.allCases.map(\.rawValue)),
        transform: { text in
            if let peer = PeerKind(rawValue: text) { return peer }
            throw ValidationError("'\(text)' is not one of rocket-swift, rocket, tinyrpc.")
        })
    var peer: PeerKind?

    @OptionGroup(title: "TLS") var tls: TLSOptions

    /// Refuses options that do not fit together.
    func validate() throws {
        if grpc, peer != nil {
            throw ValidationError("--peer is for TinyPB: it goes without --grpc")
        }
    }

    /// The metadata of the call.
    var allMetadata: RPCMetadata {
        var all = RPCMetadata()
        for entry in metadata { all.add(entry.value, for: entry.key) }
        if let idempotencyKey { all["idempotency-key"] = idempotencyKey }
        return all
    }

    /// How calls of reflection are made.
    var reflectionCall: ReflectionCall {
        var call = ReflectionCall(metadata: allMetadata, waitsForReady: waitForReady)
        // A key is for one call.
        call.metadata["idempotency-key"] = nil
        if let timeout { call.timeout = timeout.duration }
        return call
    }

    /// The server at an address.
    ///
    /// - Throws: `ProgramFailure` (usage) for what is no address.
    func target(_ address: String) throws(ProgramFailure) -> ServerTarget {
        var target = try ServerTarget(address: address)
        target.tls = tls.settings
        target.configuration.timeout = .seconds(10)
        target.configuration.connectTimeout = timeout?.duration ?? .seconds(2)
        target.configuration.codec = TinyPBCodec(maxFrameBytes: Self.maxMessageBytes)
        target.configuration.maxRequestBytes = Self.maxMessageBytes
        if grpc { target.configuration.protocol = ProgramWires.channel }
        if let peer { target.configuration.peer = peer }
        return target
    }
}

/// One entry of metadata on a command line: `name: value` as in HTTP, or `name=value`.
struct MetadataEntry: Hashable, Sendable {
    /// In lower case.
    let key: String
    let value: String

    /// Parses an entry.
    init(_ text: String) throws {
        guard let end = text.firstIndex(where: { ":=".contains($0) }) else {
            throw ValidationError("'\(text)' is no 'name: value'")
        }
        key = text[..<end].lowercased()
        guard RPCMetadata.isValid(key: key) else {
            throw ValidationError(
                "'\(text)' is no 'name: value'; a name consists of a-z, 0-9, - _ and .")
        }
        let rest = text[text.index(after: end)...]
        value = text[end] == ":" ? String(rest.drop { $0 == " " }) : String(rest)
    }
}
