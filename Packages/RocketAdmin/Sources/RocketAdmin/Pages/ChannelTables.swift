import RocketRPC
import RocketSystem
import RocketTCP

extension AdminView {
    var channelsTable: Table {
        let rows = channels.map { channel -> [Table.Cell] in
            let numbers = channel.statistics
            let ready = channel.endpoints.count { $0.state == .ready }
            return [
                .code(channel.target), .state(channel.state.label, channel.state.tone),
                channel.endpoints.isEmpty
                    ? .missing : .text("\(ready) of \(channel.endpoints.count) ready"),
                .count(numbers.callsInFlight), .count(numbers.connects),
                .fault(numbers.connectFailures), .fault(numbers.connectionsLost),
                .count(numbers.retries), .fault(numbers.retriesRefused),
                numbers.retryBudgetLeft < 0 ? .missing : .count(numbers.retryBudgetLeft),
                .count(numbers.hedges), .count(numbers.hedgesWon), .count(numbers.picks),
                .fault(numbers.ejections), .fault(numbers.resolutionFailures),
            ]
        }
        return Table(
            id: "channels",
            columns: [
                .text("target", "Target"), .text("state", "State"), .text("servers", "Servers"),
                .number("in_flight", "In flight"), .number("connects", "Connected"),
                .number("connect_failures", "Not connected"), .number("connections_lost", "Lost"),
                .number("retries", "Retries"),
                .number("retries_refused", "Not retried", "The budget of retries was used up"),
                .number("retry_budget", "Budget", "Calls that may be sent again"),
                .number("hedges", "Hedges", "Second attempts before the first had ended"),
                .number("hedges_won", "Won"), .number("picks", "Picks"),
                .number("ejections", "Ejections", "How often a server was left out for its errors"),
                .number("lookup_failures", "Lookups failed"),
            ], rows: rows,
            empty:
                "This program calls no other servers, or has not named their channels to the page.")
    }

    var endpointsTable: Table {
        let rows = channels.flatMap { channel in
            channel.endpoints.map { endpoint -> [Table.Cell] in
                [
                    .code(channel.target),
                    .code(endpoint.addresses.map(\.description).joined(separator: " ")),
                    endpoint.isEjected
                        ? .state("left out", .bad)
                        : .state(endpoint.state.label, endpoint.state.tone),
                    .count(endpoint.callsInFlight),
                    endpoint.latency == .zero ? .missing : .time(endpoint.latency),
                ]
            }
        }
        return Table(
            id: "endpoints",
            columns: [
                .text("target", "Target"), .text("address", "Address"), .text("state", "State"),
                .number("in_flight", "In flight"),
                .number("latency_seconds", "Latency", "Recent, with its peaks"),
            ], rows: rows, empty: "No channel has found a server yet.")
    }
}

extension RPCChannelState {
    fileprivate var label: String {
        switch self {
        case .idle: "idle"
        case .connecting: "connecting"
        case .ready: "ready"
        case .transientFailure: "failing"
        case .closed: "closed"
        }
    }

    fileprivate var tone: Table.Tone {
        switch self {
        case .ready: .good
        case .transientFailure: .bad
        case .connecting: .warning
        case .idle, .closed: .quiet
        }
    }
}
