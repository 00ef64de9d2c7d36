import RocketBase
import RocketCodec
import RocketRPC
import RocketTCP
import SwiftProtobuf

/// Calls services on behalf of a test, over any transport.
protocol Caller: Sendable {
    func call<Request: Message & Sendable, Response: Message & Sendable>(
        _ method: RPCMethod<Request, Response>, _ request: Request, metadata: RPCMetadata
    ) async throws -> Response

    /// Makes a call and returns the response and the reply metadata.
    func exchange<Request: Message & Sendable, Response: Message & Sendable>(
        _ method: RPCMethod<Request, Response>, _ request: Request, metadata: RPCMetadata
    ) async throws -> (Response, RPCMetadata)
}

extension Caller {
    func call<Request: Message & Sendable, Response: Message & Sendable>(
        _ method: RPCMethod<Request, Response>, _ request: Request
    ) async throws -> Response {
        try await call(method, request, metadata: [:])
    }
}

/// The transports between a caller and a handler.
enum TransportKind: CaseIterable, Sendable {
    /// Frames are passed directly to the dispatcher.
    case dispatcherOnly
    /// A channel over an in-memory transport.
    case inProcess
    /// A channel over a TCP socket.
    case loopback

    /// Those with event loops, which enforce deadlines and transfer cancellations.
    static let channels = [TransportKind.inProcess, .loopback]

    /// Runs `body` with a caller of the services.
    func with(
        _ services: [any RPCService], _ body: (any Caller) async throws -> Void
    ) async throws {
        if self == .dispatcherOnly {
            return try await body(DispatcherCaller(try RPCDispatcher(services: services)))
        }
        try await withChannel(to: services) { try await body(ChannelCaller(channel: $0)) }
    }

    /// Runs `body` with a channel to the services.
    func withChannel(
        to services: [any RPCService], configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], _ body: (RPCChannel) async throws -> Void
    ) async throws {
        if self == .inProcess {
            let dispatcher = try RPCDispatcher(services: services)
            let channel = try RPCChannel(
                inProcess: dispatcher, configuration: configuration, interceptors: interceptors)
            defer { channel.close() }
            return try await body(channel)
        }
        try await withServer(services) { address in
            let channel = try RPCChannel(
                to: address, configuration: configuration, interceptors: interceptors)
            defer { channel.close() }
            try await body(channel)
        }
    }
}

struct ChannelCaller: Caller {
    let channel: RPCChannel

    func call<Request: Message & Sendable, Response: Message & Sendable>(
        _ method: RPCMethod<Request, Response>, _ request: Request, metadata: RPCMetadata
    ) async throws -> Response {
        try await channel.call(method, request, timeout: .seconds(600), metadata: metadata)
    }

    func exchange<Request: Message & Sendable, Response: Message & Sendable>(
        _ method: RPCMethod<Request, Response>, _ request: Request, metadata: RPCMetadata
    ) async throws -> (Response, RPCMetadata) {
        let call = RPCController(timeout: .seconds(600), metadata: metadata)
        let response = try await channel.call(method, request, call)
        return (response, call.replyMetadata)
    }
}

struct DispatcherCaller: Caller {
    private let dispatcher: RPCDispatcher
    private let codec = TinyPBCodec()

    init(_ dispatcher: RPCDispatcher) { self.dispatcher = dispatcher }

    func call<Request: Message & Sendable, Response: Message & Sendable>(
        _ method: RPCMethod<Request, Response>, _ request: Request, metadata: RPCMetadata
    ) async throws -> Response {
        try await exchange(method, request, metadata: metadata).0
    }

    func exchange<Request: Message & Sendable, Response: Message & Sendable>(
        _ method: RPCMethod<Request, Response>, _ request: Request, metadata: RPCMetadata
    ) async throws -> (Response, RPCMetadata) {
        var block = ByteBuffer()
        var frame = ByteBuffer()
        try MetadataBlock.write(metadata, to: &block)
        let (id, name) = ([UInt8]("12345678901234567890".utf8), [UInt8](method.fullName.utf8))
        let text = block.copyBytes()
        let start = codec.begin(
            messageID: id.span.bytes, methodName: name.span.bytes, errorInfo: text.span.bytes,
            in: &frame)
        frame.append(try request.serializedBytes() as [UInt8])
        try codec.finish(start, in: &frame)
        let answer = await dispatcher.answer(frame.copyBytes())
        guard case .frame(let parts, answer.count) = try codec.step(answer.span.bytes) else {
            throw FrameKit.NoWholeFrame()
        }
        guard parts.errorCode == 0 else {
            throw RPCError(
                RPCErrorCode(rawValue: parts.errorCode),
                String(decoding: answer[parts.errorInfo], as: UTF8.self))
        }
        let info = [UInt8](answer[parts.errorInfo])
        return (
            try Response(serializedBytes: [UInt8](answer[parts.payload])),
            MetadataBlock.read(info.span.bytes) ?? [:]
        )
    }
}
