import RocketSystem
import SwiftProtobuf

/// How the services of a server are: what `rocket.Health` answers. Any thread.
///
/// A server has one (`RPCServer.health`), where every registered service is SERVING until the
/// application says otherwise. When the server drains all of them are NOT_SERVING, and whoever
/// watches is told at once.
public final class RPCHealth: RPCHealthService {
    /// What can be said of a service.
    public typealias Status = RPCHealthCheckResponse.Status

    private struct State {
        var statuses: [String: Status] = [:]
        var isDraining = false
        var lastWatcher: UInt64 = 0
        var watchers: [UInt64: CheckedContinuation<Void, Never>] = [:]

        func status(of service: String) -> Status {
            guard let status = statuses[service] ?? (service.isEmpty ? .serving : nil) else {
                return .serviceUnknown
            }
            return isDraining ? .notServing : status
        }
    }

    private let state = Locked(State())

    /// - Parameter services: those that are known, and SERVING.
    public init(services: [String] = []) {
        state.withLock { state in
            for name in services { state.statuses[name] = .serving }
        }
    }

    /// Says how a service is, or with no name the server as a whole. While the server drains it is
    /// kept for nobody: all are NOT_SERVING.
    public func set(_ status: Status, for service: String = "") {
        change { $0.statuses[service] = status }
    }

    /// How a service is, or with no name the server as a whole: SERVING unless set otherwise.
    public func status(of service: String = "") -> Status {
        state.withLock { $0.status(of: service) }
    }

    /// The server drains: everything is NOT_SERVING from now on.
    func drain() { change { $0.isDraining = true } }

    private func change(_ body: (inout State) -> Void) {
        let watchers = state.withLock { state in
            body(&state)
            defer { state.watchers = [:] }
            return state.watchers
        }
        for watcher in watchers.values { watcher.resume() }
    }

    // MARK: The service

    /// Tells how a service is.
    public func check(
        _ request: RPCHealthCheckRequest, _ call: RPCController
    ) async throws -> RPCHealthCheckResponse {
        .with { $0.status = status(of: request.service) }
    }

    /// Tells how a service is once that is something else than the caller knows.
    public func watch(
        _ request: RPCHealthWatchRequest, _ call: RPCController
    ) async throws -> RPCHealthCheckResponse {
        while true {
            let status = status(of: request.service)
            if status != request.known { return .with { $0.status = status } }
            try Task.checkCancellation()
            await changed(from: status, of: request.service)
        }
    }

    /// Returns at the next change, or when the task is cancelled; at once when there was one.
    private func changed(from known: Status, of service: String) async {
        let id = state.withLock { state in
            state.lastWatcher += 1
            return state.lastWatcher
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    let isOver = Task.isCancelled || state.status(of: service) != known
                    if !isOver { state.watchers[id] = continuation }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.watchers.removeValue(forKey: id) }?.resume()
        }
    }
}
