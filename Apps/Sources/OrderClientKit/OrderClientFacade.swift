import FoundationEssentials
import OrderProtos
import RocketBase
import RocketCodec
import RocketProgram
import RocketRPC
import RocketTCP

/// Calls an order server: measures the time of the calls, and maps every failure to one line.
struct OrderClientFacade {
    private let client: OrderClient
    private let peer: String
    private let timeout: Duration?
    /// Whether calls wait for a server that can't be reached.
    private let waitsForReady: Bool
    /// Whether the server knows idempotency keys.
    private let sendsKeys: Bool

    init(_ options: CallOptions) throws(ProgramFailure) {
        let target = try options.target.target()
        peer = target.description
        timeout = options.timeout?.duration
        waitsForReady = options.wait
        sendsKeys = target.configuration.peer == .rocketSwift
        do {
            client = OrderClient(try target.channel())
        } catch {
            throw ProgramFailure(
                "cannot call \(peer): \(error.message) (\(error.code.name))",
                status: ExitStatus(of: error))
        }
    }

    /// Makes an order. Its idempotency key lets the server recognise a repeated call, so the
    /// channel may send the call again when a connection is lost. A C++ server knows no keys, so
    /// there such a call fails instead.
    func make(
        price: Int32, goods: String
    ) async throws(ProgramFailure) -> (answer: OrderAnswer, roundTrip: Duration) {
        var request = MakeOrderRequest()
        request.price = price
        request.goods = goods
        let metadata: RPCMetadata =
            sendsKeys ? ["idempotency-key": UUID().uuidString.lowercased()] : [:]
        let options = callOptions(isIdempotent: sendsKeys)
        let method = OrderMethods.makeOrder.fullName
        let (response, time) = try await timed(method) { [request] () throws(RPCError) in
            try await client.makeOrder(
                request, timeout: timeout, metadata: metadata, options: options)
        }
        do {
            return (try OrderAnswer(response, to: request), time)
        } catch { throw failure(error, of: method) }
    }

    /// Finds an order.
    func get(
        _ id: String
    ) async throws(ProgramFailure) -> (answer: OrderAnswer, roundTrip: Duration) {
        var request = QueryOrderRequest()
        request.orderID = id
        let method = OrderMethods.queryOrder.fullName
        let (response, time) = try await timed(method) { [request] () throws(RPCError) in
            try await client.queryOrder(request, timeout: timeout, options: callOptions())
        }
        do { return (try OrderAnswer(response), time) } catch { throw failure(error, of: method) }
    }

    /// Lists one page, or with `all` every page from there on. The time is the sum of all calls.
    func list(
        pageSize: Int32, pageToken: String, all: Bool
    ) async throws(ProgramFailure) -> (answer: OrderAnswer, roundTrip: Duration) {
        var request = ListOrdersRequest()
        request.pageSize = pageSize
        request.pageToken = pageToken
        let method = OrderMethods.listOrders.fullName
        var orders: [OrderRecord] = []
        var seen: Set = [pageToken]
        var total = Duration.zero
        repeat {
            let (response, time) = try await timed(method) { [request] () throws(RPCError) in
                try await client.listOrders(request, timeout: timeout, options: callOptions())
            }
            do { try OrderAnswer.check(response, seen: &seen) } catch {
                throw failure(error, of: method)
            }
            orders += response.orders
            total += time
            request.pageToken = response.nextPageToken
        } while all && !request.pageToken.isEmpty
        return (.listed(orders, nextPageToken: request.pageToken), total)
    }

    /// Reads are idempotent by nature, `makeOrder` is by its key.
    private func callOptions(isIdempotent: Bool = true) -> RPCCallOptions {
        .with {
            $0.isIdempotent = isIdempotent
            if waitsForReady { $0.waitsForReady = true }
        }
    }

    private func timed<Response>(
        _ method: String, _ call: () async throws(RPCError) -> Response
    ) async throws(ProgramFailure) -> (Response, Duration) {
        let start = ContinuousClock.now
        do {
            return (try await call(), ContinuousClock.now - start)
        } catch {
            throw ProgramFailure(
                Self.line(error, method: method, peer: peer), status: ExitStatus(of: error))
        }
    }

    /// `Order.makeOrder to order (127.0.0.1:12345): no reply within 2 s (ERROR_RPC_CALL_TIMEOUT)`
    static func line(_ error: RPCError, method: String, peer: String) -> String {
        "\(method) to \(peer): \(error.message) (\(error.code.name))"
    }

    /// `Order.makeOrder to order (127.0.0.1:12345): refused: short balance (ret_code -1)`
    private func failure(_ error: OrderAnswer.Failure, of method: String) -> ProgramFailure {
        ProgramFailure("\(method) to \(peer): \(error)", status: error.exitStatus)
    }
}
