import ArgumentParser
import Foundation
import OrderProtos
import RocketBase
import RocketProgram
import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import OrderClientKit

/// What `order_client watch` does when its stream ends, and what it prints.
@Suite("Watching orders")
struct OrderWatcherTests {
    /// Answers the first watch as the first script says, and so on; the last one again and again.
    private final class Handler: OrderService {
        struct Script {
            var events: [OrderEvent] = []
            var error: RPCError?
        }

        private let scripts: [Script]
        private let starts = Locked<[String]>([])

        init(_ scripts: [Script]) { self.scripts = scripts }

        /// The after_order_id of each watch.
        var positions: [String] { starts.withLock { $0 } }

        func watchOrders(
            _ request: WatchOrdersRequest, _ responses: RPCWriter<OrderEvent>,
            _ call: RPCController
        ) async throws {
            let number = starts.withLock { starts in
                starts.append(request.afterOrderID)
                return starts.count
            }
            let script = scripts[min(number, scripts.count) - 1]
            for event in script.events { try await responses.write(event) }
            if let error = script.error { throw error }
        }

        func makeOrder(
            _ request: MakeOrderRequest, _ call: RPCController
        ) async throws -> MakeOrderResponse { .init() }

        func queryOrder(
            _ request: QueryOrderRequest, _ call: RPCController
        ) async throws -> QueryOrderResponse { .init() }

        func listOrders(
            _ request: ListOrdersRequest, _ call: RPCController
        ) async throws -> ListOrdersResponse { .init() }
    }

    private static func order(_ id: String) -> OrderEvent { .with { $0.order.orderID = id } }

    /// Watches until `count` events have been received.
    private func events(
        _ count: Int, of handler: Handler, after position: String = ""
    ) async throws -> [OrderWatcher.Event] {
        let server = try RPCServer(
            configuration: RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])),
            services: [handler])
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        let channel = try RPCChannel(to: address)
        var watcher = OrderWatcher(
            channel, peer: "peer", after: position, backOff: BackOff(first: .zero, most: .zero))
        var events: [OrderWatcher.Event] = []
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await watcher.run {
                    events.append($0)
                    return events.count < count
                })
        } catch {
            result = .failure(error)
        }
        channel.close()
        server.beginDrain()
        try await running.value
        try result.get()
        return events
    }

    @Test(
        "Goes on behind what it has: after a drain, a lost connection, and before the first order")
    func goesOn() async throws {
        let handler = Handler([
            .init(
                events: [.with { $0.watchingAfter = "9" }],
                error: RPCError(.unavailable, "the server is draining")),
            .init(
                events: [Self.order("10"), .with { $0.dropped = 3 }],
                error: RPCError(.failedGetReply, "lost")),
            .init(events: [Self.order("14")]),
            .init(events: [Self.order("15")]),
        ])
        let events = try await events(7, of: handler)
        #expect(handler.positions == ["", "9", "10", "14"])
        let line = "Order.watchOrders to peer: the server is draining (UNAVAILABLE)"
        #expect(events.first == .interrupted(line, after: "9"))
        #expect(events.dropFirst().first == .order(.with { $0.orderID = "10" }))
        #expect(events.dropFirst(2).first == .dropped(3, after: "10"))
        #expect(events.last == .order(.with { $0.orderID = "15" }))
    }

    @Test("Ends with an error that another attempt does not help against")
    func fails() async throws {
        let codes: [(RPCErrorCode, RocketProgram.ExitStatus)] = [
            (.notFound, .noInput), (.permissionDenied, .notPermitted),
            (.methodNotFound, .protocolError),
        ]
        for (code, status) in codes {
            let handler = Handler([.init(error: RPCError(code, "no"))])
            let failure = await #expect(throws: ProgramFailure.self) {
                try await events(1, of: handler, after: "7")
            }
            #expect(failure?.status == status)
            #expect(failure?.description == "Order.watchOrders to peer: no (\(code.name))")
            #expect(handler.positions == ["7"])
        }
    }

    @Test("Ends if its server can't be reached at first")
    func unreachable() async throws {
        let path = NSTemporaryDirectory() + UUID().uuidString
        let channel = try RPCChannel(to: NetAddress(parsing: "unix:" + path))
        var watcher = OrderWatcher(channel, peer: "peer")
        let failure = await #expect(throws: ProgramFailure.self) {
            try await watcher.run { _ in false }
        }
        #expect(failure?.status == .unavailable)
        channel.close()
    }

    // MARK: Printing

    private let record = OrderRecord.with {
        $0.orderID = "202611210000000042"
        $0.price = 100
        $0.goods = "apple"
        $0.createdUnixMs = 1_795_239_439_123
    }

    /// Prints the events, and returns the lines and whether it goes on.
    private func printed(
        _ events: [OrderWatcher.Event], isJSON: Bool = false, count: Int? = nil,
        canWrite: Bool = true
    ) throws -> (output: [String], errors: [String], goesOn: Bool) {
        var (output, errors, goesOn): ([String], [String], Bool) = ([], [], true)
        var printer = WatchPrinter(
            isJSON: isJSON, count: count, style: TerminalText(isColoured: false),
            write: {
                output.append($0)
                return canWrite
            }, report: { errors.append($0) })
        for event in events where goesOn { goesOn = try printer.print(event) }
        return (output, errors, goesOn)
    }

    @Test("Prints an order as a list does, or as a line of JSON")
    func orders() throws {
        let text = try printed([.order(record)])
        #expect(text.output == ["202611210000000042  2026-11-21T05:37:19.123Z          100  apple"])
        #expect(text.errors.isEmpty && text.goesOn)
        let json = try printed([.order(record)], isJSON: true)
        #expect(
            json.output == [
                #"{"created":"2026-11-21T05:37:19.123Z","goods":"apple","#
                    + #""order_id":"202611210000000042","price":100}"#
            ])
    }

    @Test("Ends after so many orders, and when a line can't be written")
    func ends() throws {
        let orders = Array(repeating: OrderWatcher.Event.order(record), count: 3)
        let counted = try printed(orders, count: 2)
        #expect(counted.output.count == 2 && !counted.goesOn)
        let closed = try printed(orders, canWrite: false)
        #expect(closed.output.count == 1 && !closed.goesOn)
    }

    @Test("Says on standard error what is missing and where it goes on")
    func reports() throws {
        let lines = try printed([
            .dropped(3, after: "7"), .interrupted("lost", after: ""),
            .interrupted("lost\u{1B}", after: "7"),
        ])
        #expect(lines.output.isEmpty && lines.goesOn)
        #expect(
            lines.errors == [
                "order_client: 3 orders are missing here, because they are read too slowly; "
                    + "to get them: order_client watch --after 7",
                "order_client: lost; going on",
                "order_client: lost\\u{1B}; going on behind order 7",
            ])
    }

    @Test("--count is 1 or more", arguments: ["0", "-1", "x"])
    func badCounts(count: String) {
        #expect(throws: (any Error).self) {
            try OrderClientCommand.parseAsRoot(["watch", "--count=" + count])
        }
    }
}
