import RocketBase
import RocketRPC

/// What a server says of its services.
protocol Reflection: Sendable {
    /// The full names of its services.
    ///
    /// - Throws: `RPCError` of the call.
    func serviceNames() async throws -> [String]
    /// Serialized file descriptors: the one that defines a symbol, and perhaps what it imports.
    func files(defining symbol: String) async throws -> [[UInt8]]
    /// Those of the file with that name; empty: the server can't be asked for files.
    func files(named name: String) async throws -> [[UInt8]]
}

/// `rocket.Reflection`, over TinyPB.
struct RocketReflection: Reflection {
    private static let listServices = RPCMethod<EncodedMessage, EncodedMessage>(
        service: "rocket.Reflection", name: "listServices")
    private static let describe = RPCMethod<EncodedMessage, EncodedMessage>(
        service: "rocket.Reflection", name: "describe")

    let channel: RPCChannel
    let call: ReflectionCall

    func serviceNames() async throws -> [String] {
        let reply = try await channel.call(
            Self.listServices, EncodedMessage(), call.controller())
        return (MessageFields(reply.bytes)?[1] ?? []).compactMap {
            MessageFields($0)?.texts(1).first
        }
    }

    func files(defining symbol: String) async throws -> [[UInt8]] {
        let request = try EncodedMessage(MessageFields.message(1, symbol))
        let reply = try await channel.call(Self.describe, request, call.controller())
        return (MessageFields(reply.bytes)?[1] ?? []).map { Array($0) }
    }

    func files(named name: String) async throws -> [[UInt8]] { [] }
}

/// gRPC's reflection, in both of its versions.
struct GRPCReflection: Reflection {
    /// The names under which servers have it, the newer one first.
    static let services = [
        "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
    ]

    private let channel: RPCChannel
    private let call: ReflectionCall
    private let method: RPCMethod<EncodedMessage, EncodedMessage>

    init(_ channel: RPCChannel, service: String, _ call: ReflectionCall) {
        self.channel = channel
        self.call = call
        method = RPCMethod(
            service: service, name: "ServerReflectionInfo", kind: .bidirectionalStreaming)
    }

    func serviceNames() async throws -> [String] {
        let reply = try await send(MessageFields.message(7, "*"))
        return (reply[6].first.flatMap { MessageFields($0)?[1] } ?? []).compactMap {
            MessageFields($0)?.texts(1).first
        }
    }

    func files(defining symbol: String) async throws -> [[UInt8]] {
        try await files(MessageFields.message(4, symbol))
    }

    func files(named name: String) async throws -> [[UInt8]] {
        try await files(MessageFields.message(3, name))
    }

    private func files(_ request: [UInt8]) async throws -> [[UInt8]] {
        let reply = try await send(request)
        return (reply[4].first.flatMap { MessageFields($0)?[1] } ?? []).map { Array($0) }
    }

    /// Sends one request; a call for each, which no server lets wait for others.
    private func send(_ request: [UInt8]) async throws -> MessageFields {
        let call = try await channel.stream(method, call.controller())
        try? await call.requests.write(EncodedMessage(request))
        call.finishRequests()
        var replies = call.responses.makeAsyncIterator()
        guard let reply = try await replies.next(), let fields = MessageFields(reply.bytes) else {
            throw RPCError(.failedDeserialize, "the server's reflection has not answered")
        }
        if let error = fields[7].first.flatMap({ MessageFields($0) }) {
            throw RPCError(.notFound, error.texts(2).first ?? "the reflection has failed")
        }
        // The end of the stream: its error counts, too.
        while try await replies.next() != nil {}
        return fields
    }
}

/// The parameters of calls of reflection: the metadata of the call that they are made for, because a
/// server may demand a token.
struct ReflectionCall: Sendable {
    var metadata = RPCMetadata.empty
    /// The longest that one call may take.
    var timeout = Duration.seconds(10)
    var waitsForReady = false

    func controller() -> RPCController {
        RPCController(
            timeout: timeout, metadata: metadata,
            options: .with { $0.waitsForReady = waitsForReady })
    }
}
