import OrderProtos
import RocketBase
import RocketProgram
import RocketRPC
import RocketTCP

/// Follows the orders of a server, over one connection after another: after a lost one, or when the
/// server drains, it goes on behind the last order that it has.
struct OrderWatcher {
    /// What a watcher has received.
    enum Event: Equatable {
        case order(OrderRecord)
        /// So many orders are missing behind this id: the server did not send them.
        case dropped(Int64, after: String)
        /// The watch has ended for this reason, and goes on behind this id.
        case interrupted(String, after: String)
    }

    private let client: OrderClient
    private let peer: String
    /// Whether it waits for a server that can't be reached at first.
    private let waitsForReady: Bool
    /// The waits between watches that fail one after another, beside those of the channel between
    /// its attempts to connect.
    private var backOff: BackOff
    /// As after_order_id of the next watch.
    private(set) var position: String
    /// Whether the server has been reached.
    private var hasBegun = false

    /// - Parameters:
    ///   - peer: the server, for texts.
    ///   - position: an id, "0" for all orders, or empty: only those that are stored from now on.
    init(
        _ channel: RPCChannel, peer: String, after position: String = "",
        waitsForReady: Bool = false, backOff: BackOff = BackOff()
    ) {
        client = OrderClient(channel)
        self.peer = peer
        self.position = position
        self.waitsForReady = waitsForReady
        self.backOff = backOff
    }

    /// Passes on what it receives, until `receive` returns false or the task is cancelled.
    ///
    /// - Throws: `ProgramFailure` for an error that another attempt does not help against.
    mutating func run(_ receive: (Event) throws -> Bool) async throws {
        while true {
            let error: RPCError
            do {
                if try await watch(receive) { return }
                error = RPCError(.failedGetReply, "the stream has ended")
            } catch let failure as RPCError {
                error = failure
            }
            if Task.isCancelled { return }
            let line = OrderClientFacade.line(
                error, method: OrderMethods.watchOrders.fullName, peer: peer)
            guard isPassing(error) else {
                throw ProgramFailure(line, status: ExitStatus(of: error))
            }
            hasBegun = true
            if !(try receive(.interrupted(line, after: position))) { return }
            var random = SystemRandomNumberGenerator()
            // Ends early only when the task is cancelled.
            try? await Task.sleep(for: backOff.next(using: &random))
        }
    }

    /// Watches once.
    ///
    /// - Returns: whether `receive` has returned false; otherwise the stream has ended.
    private mutating func watch(_ receive: (Event) throws -> Bool) async throws -> Bool {
        let options = RPCCallOptions.with {
            $0.isIdempotent = true
            if hasBegun || waitsForReady { $0.waitsForReady = true }
        }
        var request = WatchOrdersRequest()
        request.afterOrderID = position
        let events = try await client.watchOrders(request, options: options)
        for try await event in events {
            hasBegun = true
            backOff.succeeded()
            switch event.event {
            case .order(let order):
                position = order.orderID
                if !(try receive(.order(order))) { return true }
            case .dropped(let count):
                if !(try receive(.dropped(count, after: position))) { return true }
            case .watchingAfter(let id): position = id
            case nil: break
            }
        }
        return false
    }

    /// Whether a later attempt, perhaps with another server, may succeed.
    private func isPassing(_ error: RPCError) -> Bool {
        switch error.code {
        case .unavailable, .failedGetReply, .peerClosed, .callTimeout, .resourceExhausted: true
        case .failedConnect: hasBegun
        default: false
        }
    }
}
