import RocketReactor
import RocketSystem
import RocketSystemd

extension RPCServer {
    /// All listeners are bound: tells the service manager, and lets its watchdog ask the loops.
    func tellReady(
        _ systemd: SystemdReporter, meter: CallMeter?,
        connections: @escaping @Sendable () -> Int, loops: [EventLoop]
    ) {
        for loop in loops { systemd.watch(loop.watchdogTarget) }
        let lines = meter.map { StatusLines(meter: $0) }
        systemd.describe { lines?.next(connections: connections()) ?? "serving" }
        systemd.ready()
    }
}
