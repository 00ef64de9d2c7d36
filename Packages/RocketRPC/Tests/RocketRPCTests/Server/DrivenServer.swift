import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketTCP

@_spi(Transport) @testable import RocketRPC

/// A server's connection on a manual clock and a loop that the test drives.
struct DrivenServer {
    let loop: HandDrivenLoop
    let caller: Caller
    let scheduler: HandlerScheduler

    /// The caller's end of the pipe: collects the received bytes.
    final class Caller: TransportHandler {
        private(set) var link: (any Transport)?
        private(set) var bytes: [UInt8] = []

        func connected(_ link: any Transport) { self.link = link }
        func received(_ link: any Transport, _ input: inout ByteBuffer) {
            bytes += input.copyBytes()
            input.consume(input.readableBytes)
        }
        func writabilityChanged(_ link: any Transport, isWritable: Bool) {}
        func draining(_ link: any Transport) {}
        func inputEnded(_ link: any Transport) {}
        func closed(_ link: any Transport, reason: CloseReason) { self.link = nil }

        func send(_ bytes: [UInt8]) { link?.send { $0.append(bytes) } }
    }

    /// Runs `body` on the test's thread. `body` must let its handlers end.
    static func with<Service: RPCService>(
        limits: RPCCallLimits = RPCCallLimits(), load: ServerLoad? = nil,
        metrics: ServerMetrics.Settings? = nil,
        _ service: (EventLoop) -> Service,
        _ body: (DrivenServer, Service) throws -> Void
    ) throws {
        let loop = try HandDrivenLoop()
        let service = service(loop.loop)
        let dispatcher = try RPCDispatcher(
            services: [service], limits: limits, time: loop.clock)
        let scheduler = HandlerScheduler(
            reactor: loop.reactor, dispatcher: dispatcher, load: load,
            metrics: metrics.map { ServerMetrics($0, methods: dispatcher.table.entries) })
        let connection = ServerConnection(
            dispatcher: dispatcher, codec: TinyPBCodec(), scheduler: scheduler)
        let caller = Caller()
        InMemoryTransport.join(caller, connection, on: loop.reactor)
        try body(DrivenServer(loop: loop, caller: caller, scheduler: scheduler), service)
        caller.link?.close(.reset, reason: .requested)
        loop.tickUntilIdle()
        scheduler.stop()
        loop.tickUntilIdle()
    }
}
