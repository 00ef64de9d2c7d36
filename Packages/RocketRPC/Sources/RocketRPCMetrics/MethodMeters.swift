import Metrics
import RocketBase
import RocketRPC
import RocketSystem

/// The meters of one method on one side. Any thread.
final class MethodMeters: Sendable {
    private let factory: any MetricsFactory
    private let dimensions: [(String, String)]
    private let duration: Timer
    private let inFlight: Meter
    private let requestBytes: Counter
    private let responseBytes: Counter
    private let state = Locked(State())

    private struct State {
        var inFlight = 0
        /// By code; created when the first call ends with it.
        var calls: [Int32: Counter] = [:]
    }

    init(method: String, side: String, factory: any MetricsFactory) {
        let dimensions = [("side", side), ("method", method)]
        self.factory = factory
        self.dimensions = dimensions
        duration = Timer(label: "rocket_rpc_duration", dimensions: dimensions, factory: factory)
        inFlight = Meter(label: "rocket_rpc_in_flight", dimensions: dimensions, factory: factory)
        requestBytes = Counter(
            label: "rocket_rpc_request_bytes_total", dimensions: dimensions, factory: factory)
        responseBytes = Counter(
            label: "rocket_rpc_response_bytes_total", dimensions: dimensions, factory: factory)
    }

    func began() { change(by: 1) }

    func ended(_ ending: RPCCallEnding, after time: Duration) {
        change(by: -1)
        duration.recordNanoseconds(time.wholeNanoseconds)
        requestBytes.increment(by: ending.requestBytes)
        responseBytes.increment(by: ending.responseBytes)
        calls(ending.code).increment()
    }

    private func change(by difference: Int) {
        // Under the lock, so that the value set last is the current one.
        state.withLock { state in
            state.inFlight += difference
            inFlight.set(state.inFlight)
        }
    }

    private func calls(_ code: RPCErrorCode) -> Counter {
        state.withLock { state in
            if let found = state.calls[code.rawValue] { return found }
            let name = code.rawValue == 0 ? "OK" : code.name
            let made = Counter(
                label: "rocket_rpc_calls_total", dimensions: dimensions + [("code", name)],
                factory: factory)
            state.calls[code.rawValue] = made
            return made
        }
    }
}
