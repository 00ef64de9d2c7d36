import RocketBase
import RocketCodec
import RocketGRPC
import RocketRPC
import RocketSystem
import RocketTCP
import ServiceLifecycle
import SwiftProtobuf

@testable import RocketOTLP

/// A collector in the process of the test. Any thread.
final class Collector: OTLPTraceService {
    private struct State {
        var requests: [OTLPExportTraceServiceRequest] = []
        var metadata: [RPCMetadata] = []
        /// What the next requests are answered with; afterwards with success.
        var answers: [Answer] = []
    }

    enum Answer {
        case response(OTLPExportTraceServiceResponse)
        case error(RPCError)
        /// Until the call is given up.
        case never
    }

    private let state = Locked(State())
    private let changed = AsyncEvent()

    init(_ answers: [Answer] = []) { state.withLock { $0.answers = answers } }

    nonisolated(nonsending) func export(
        _ request: OTLPExportTraceServiceRequest, _ call: RPCController
    ) async throws -> OTLPExportTraceServiceResponse {
        let answer = state.withLock { state -> Answer in
            state.metadata.append(call.requestMetadata)
            let answer =
                state.answers.isEmpty
                ? .response(OTLPExportTraceServiceResponse()) : state.answers.removeFirst()
            if case .response = answer { state.requests.append(request) }
            return answer
        }
        changed.notify()
        switch answer {
        case .response(let response): return response
        case .error(let error): throw error
        case .never:
            await AsyncEvent().wait { false }
            throw CancellationError()
        }
    }

    /// The spans that it has taken, with the names of their services.
    var spans: [(service: String, span: OTLPSpan)] {
        state.withLock { state in
            state.requests.flatMap(\.resourceSpans).flatMap { resource in
                let name = resource.resource.attributes.first { $0.key == "service.name" }
                return resource.scopeSpans.flatMap(\.spans).map {
                    (name?.value.stringValue ?? "", $0)
                }
            }
        }
    }

    /// How many spans each request had.
    var sizes: [Int] {
        state.withLock { $0.requests.map { $0.resourceSpans[0].scopeSpans[0].spans.count } }
    }

    /// The metadata of all attempts.
    var metadata: [RPCMetadata] { state.withLock { $0.metadata } }

    /// Waits until it has taken so many spans.
    func hasTaken(_ count: Int) async { await changed.wait { self.spans.count >= count } }

    /// Waits for so many attempts.
    func wasCalled(_ count: Int) async { await changed.wait { self.metadata.count >= count } }
}

/// Serves while `body` runs.
func serving(
    _ services: [any RPCService], at address: NetAddress = .loopback(port: 0),
    interceptors: [any RPCInterceptor] = [], _ body: (NetAddress) async throws -> Void
) async throws {
    var configuration = RPCServerConfiguration(tcp: TCPServerConfiguration(listen: [address]))
    configuration.protocols = [.grpc()]
    let server = try RPCServer(
        configuration: configuration, services: services, interceptors: interceptors)
    let running = Task { try await server.run() }
    if let address = await server.boundAddresses.first { try await body(address) }
    server.beginDrain()
    try await running.value
}

extension OTLPConfiguration {
    /// A configuration of tests: everything is traced, and nothing waits for long.
    static func test(_ address: NetAddress, service: String = "test") -> OTLPConfiguration {
        var configuration = OTLPConfiguration(endpoint: address.description)
        configuration.callsPerTrace = 1
        configuration.interval = .milliseconds(1)
        configuration.backOff = BackOff(first: .milliseconds(1), most: .milliseconds(10))
        configuration.resource["service.name"] = service
        return configuration
    }
}
