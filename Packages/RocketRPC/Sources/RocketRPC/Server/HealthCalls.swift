import RocketBase

/// The methods of `rocket.Health`: they are served while the server drains, and above its limits on
/// calls in flight.
enum HealthMethod {
    case check
    /// Waits for a change. Also every other method of a service of this name.
    case watch

    /// Returns nil for a method of another service.
    init?(_ fullName: String) {
        // Of gRPC; its `Watch` is a stream like any other.
        if fullName == "grpc.health.v1.Health.Check" {
            self = .check
            return
        }
        guard fullName.hasPrefix(RPCHealth.serviceName + ".") else { return nil }
        self = fullName == RPCHealth.serviceName + ".check" ? .check : .watch
    }
}

/// The calls of `rocket.Health` on one connection that wait. They have limits of their own: no
/// number of watch calls takes the place of other calls.
struct HealthCalls {
    /// Calls of `check` that wait, in an interceptor. They also count as calls in flight.
    fileprivate(set) var checks = 0
    /// Calls of `watch` that wait. They count as calls in flight neither of the connection nor of
    /// the server.
    fileprivate(set) var watches = 0
}

extension ServerConnection {
    /// Returns the error of a call of `rocket.Health` if too many of its kind wait.
    func healthRefusal(of method: _MethodEntry, _ limiter: ConcurrencyLimiter) -> RPCError? {
        limiter.watchRefusal(
            waitingOnConnection: method.health == .check ? healthCalls.checks : healthCalls.watches,
            countsAll: method.health == .watch)
    }

    /// Counts a call whose handler has suspended.
    func healthCallSuspended(_ task: HandlerTask, _ method: HealthMethod) {
        switch method {
        case .check:
            healthCalls.checks += 1
            dispatcher.limiter.callSuspended()
        case .watch:
            healthCalls.watches += 1
            callsInFlight -= 1
            dispatcher.limiter.watchSuspended()
            if ending.hasBegun { endWatch(task) }
        }
    }

    /// Undoes `healthCallSuspended`: the handler has returned.
    func healthCallResumed(_ method: HealthMethod) {
        switch method {
        case .check:
            healthCalls.checks -= 1
            dispatcher.limiter.callResumed()
        case .watch:
            healthCalls.watches -= 1
            callsInFlight += 1
            dispatcher.limiter.watchResumed()
        }
    }

    /// Answers all watch calls that wait: a connection that ends is not kept open for a change.
    func endWatches() {
        if healthCalls.watches == 0 { return }
        for task in suspended.tasks where task.responder.method?.health == .watch {
            endWatch(task)
        }
    }

    private func endWatch(_ task: HandlerTask) {
        task.responder.answer(
            with: RPCError(
                .unavailable,
                ending.isDraining
                    ? "the server is draining" : "the peer has half-closed the connection"))
        task.cancelCall()
    }
}
