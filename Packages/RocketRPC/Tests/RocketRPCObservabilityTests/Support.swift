import RocketBase
import RocketCodec
import RocketRPC
import RocketTCP
import SwiftProtobuf

typealias Text = Google_Protobuf_StringValue

/// Returns its request; fails with PERMISSION_DENIED for `fail`, with INTERNAL for `break`.
struct Echo: RPCService {
    static var serviceName: String { "test.v1.Echo" }
    static let say = RPCMethod<Text, Text>(service: serviceName, name: "say")

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.say) { request, _ in
            if request.value == "fail" { throw RPCError(.permissionDenied, "no") }
            if request.value == "break" { throw RPCError(.internal, "broken") }
            return request
        }
    }
}

/// Calls `Echo.say` through a dispatcher.
///
/// - Returns: the code of the reply.
func say(
    _ text: String, to dispatcher: RPCDispatcher, metadata: String = ""
) async throws -> RPCErrorCode {
    var buffer = ByteBuffer()
    let codec = TinyPBCodec()
    let (id, name, info) = (
        [UInt8]("1".utf8), [UInt8](Echo.say.fullName.utf8), [UInt8](metadata.utf8)
    )
    let start = codec.begin(
        messageID: id.span.bytes, methodName: name.span.bytes, errorInfo: info.span.bytes,
        in: &buffer)
    buffer.append(try Text(text).serializedBytes() as [UInt8])
    try codec.finish(start, in: &buffer)
    let answer = await dispatcher.answer(buffer.copyBytes())
    guard case .frame(let frame, _) = try codec.step(answer.span.bytes) else {
        return .failedDecode
    }
    return RPCErrorCode(rawValue: frame.errorCode)
}

/// Runs `body` with a channel to a server over loopback, with interceptors on both sides.
func withLoopback(
    server: [any RPCInterceptor] = [], client: [any RPCInterceptor] = [],
    services: [any RPCService] = [Echo()], _ body: (RPCChannel) async throws -> Void
) async throws {
    let server = try RPCServer(
        configuration: RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])),
        services: services, interceptors: server)
    let running = Task { try await server.run() }
    if let address = await server.boundAddresses.first {
        let channel = try RPCChannel(to: address, interceptors: client)
        try await body(channel)
        channel.close()
    }
    server.beginDrain()
    try await running.value
}
