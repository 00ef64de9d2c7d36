import RocketBase
import RocketSystem
import Synchronization

/// What a server refuses under overload: the settings, which can be changed while it runs, and what
/// its loops share. Any thread.
///
/// Each loop decides by itself (`AdmissionControl`): the delay is that of its own queue, and adaptive
/// limits follow from the calls of the loop, so that no memory is shared between loops on a call's
/// way. Only the rates of callers are shared (`CallerRates`), because the connections of one caller
/// are spread over the loops.
final class OverloadPolicy: Sendable {
    /// The part of a server's limits that is about overload. A value.
    struct Settings: Hashable, Sendable {
        var queueDelay: Duration?
        var refusesLateCalls = false
        var adaptive: [MethodPattern] = []
        var callsPerSecond = 0
        var acceptsCritical = false
        /// The loops that share the adaptive limits of a method.
        var loops = 1

        /// Whether any call can be refused.
        var isActive: Bool {
            queueDelay != nil || refusesLateCalls || !adaptive.isEmpty || callsPerSecond > 0
        }

        /// What nothing reads before another setting is on.
        fileprivate init(_ limits: RPCCallLimits) {
            queueDelay = limits.queueDelay.flatMap { $0 > .zero ? $0 : nil }
            refusesLateCalls = limits.refusesLateCalls
            adaptive = limits.adaptiveMethods.compactMap { try? MethodPattern($0) }
            callsPerSecond = max(0, limits.callsPerSecond)
            acceptsCritical = limits.acceptsCritical
        }
    }

    let counters = OverloadCounters()
    let rates = CallerRates()
    private let settings: Locked<Settings>
    private let changes = Atomic(0)

    init(_ limits: RPCCallLimits, of methods: [_MethodEntry]) {
        settings = Locked(Settings(limits))
        update(limits, of: methods)
    }

    /// Changes with the settings; 0: nothing has ever been on.
    var generation: Int { changes.load(ordering: .acquiring) }

    /// The settings, and their generation.
    var current: (settings: Settings, generation: Int) {
        settings.withLock { ($0, changes.load(ordering: .acquiring)) }
    }

    /// Replaces the settings, in one step for all calls that a loop reads afterwards.
    func update(_ limits: RPCCallLimits, of methods: [_MethodEntry]) {
        settings.withLock { old in
            var new = Settings(limits)
            new.loops = old.loops
            rates.update(limits)
            for method in methods {
                method.settings.acceptsCritical.store(
                    new.acceptsCritical, ordering: .relaxed)
            }
            replace(&old, new)
        }
    }

    /// Sets how many loops share the limits.
    func share(among loops: Int) {
        settings.withLock { old in
            var new = old
            new.loops = max(1, loops)
            replace(&old, new)
        }
    }

    private func replace(_ old: inout Settings, _ new: Settings) {
        let isUnused = changes.load(ordering: .relaxed) == 0 && !new.isActive
        defer { old = new }
        if old == new && changes.load(ordering: .relaxed) > 0 || isUnused { return }
        changes.wrappingAdd(1, ordering: .releasing)
    }

    /// Returns what is wrong with the patterns of adaptive limits; nil: each matches a method.
    static func fault(in limits: RPCCallLimits, _ methods: [_MethodEntry]) -> String? {
        for text in limits.adaptiveMethods {
            guard let pattern = try? MethodPattern(text) else {
                return "there is an adaptive limit for '\(text)', which is no pattern of methods"
            }
            if !methods.contains(where: { pattern.matches($0.fullName) }) {
                return "there is an adaptive limit for '\(text)', which is no registered method"
            }
        }
        return nil
    }
}
