import RocketSystem
import SwiftProtobuf

/// The health of a server's services, served as `rocket.Health`. Any thread.
///
/// Each server has one (`RPCServer.health`), in which every registered service is SERVING until the
/// application sets another status. When the server drains, all services are NOT_SERVING, and
/// pending watch calls return with that status.
public final class RPCHealth: RPCHealthService {
    /// The health of a service.
    public typealias Status = RPCHealthCheckResponse.Status

    private struct State {
        var statuses: [String: Status] = [:]
        var isDraining = false
        var lastWatcher: UInt64 = 0
        /// By number, which rises.
        var watchers: [UInt64: CheckedContinuation<Void, Never>] = [:]

        func status(of service: String) -> Status {
            guard let status = statuses[service] ?? (service.isEmpty ? .serving : nil) else {
                return .serviceUnknown
            }
            return isDraining ? .notServing : status
        }
    }

    private let state = Locked(State())

    /// - Parameter services: the names of the services, which are SERVING.
    public init(services: [String] = []) {
        state.withLock { state in
            for name in services { state.statuses[name] = .serving }
        }
    }

    /// Sets the status of a service, or without a name that of the server. Has no visible effect
    /// while the server drains: all services are NOT_SERVING.
    public func set(_ status: Status, for service: String = "") {
        change { $0.statuses[service] = status }
    }

    /// Returns the status of a service, or without a name that of the server, which is SERVING
    /// unless set otherwise.
    public func status(of service: String = "") -> Status {
        state.withLock { $0.status(of: service) }
    }

    /// Whether the server drains.
    @_spi(Transport) public var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Makes all services NOT_SERVING, because the server drains.
    func drain() { change { $0.isDraining = true } }

    private func change(_ body: (inout State) -> Void) {
        let watchers = state.withLock { state in
            body(&state)
            defer { state.watchers = [:] }
            return state.watchers
        }
        for (_, watcher) in watchers.sorted(by: { $0.key < $1.key }) { watcher.resume() }
    }

    // MARK: The service

    /// Returns the status of a service.
    public func check(
        _ request: RPCHealthCheckRequest, _ call: RPCController
    ) async throws -> RPCHealthCheckResponse {
        .with { $0.status = status(of: request.service) }
    }

    /// Returns the status of a service once it differs from the status in the request.
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

    /// Suspends until the next change or until the task is cancelled. Returns at once if the status
    /// is no longer `known`.
    @_spi(Transport) public func changed(from known: Status, of service: String) async {
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
