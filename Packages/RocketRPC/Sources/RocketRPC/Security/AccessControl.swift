import RocketBase
import RocketSystem
import Synchronization

/// What a server knows of its callers and what they may do: the authenticator of their tokens, and
/// the policy, which can be replaced while the server runs. Any thread.
final class AccessControl: Sendable {
    let authenticator: (any RPCAuthenticator)?
    private let policy: Locked<AuthorizationPolicy?>
    private let changes = Atomic(0)

    init(_ authenticator: (any RPCAuthenticator)?) {
        self.authenticator = authenticator
        policy = Locked(nil)
    }

    /// Changes with the policy.
    var generation: Int { changes.load(ordering: .acquiring) }

    /// Replaces the policy, in one step for all calls that are inspected afterwards.
    ///
    /// - Parameter methods: are marked as those whose calls have to be checked, or not.
    func update(_ new: AuthorizationPolicy?, of methods: [_MethodEntry]) {
        policy.withLock { policy in
            if policy != new {
                policy = new
                changes.wrappingAdd(1, ordering: .releasing)
            }
            // A call that is checked needlessly is allowed.
            let isNeeded = authenticator != nil || new != nil
            for method in methods {
                method.settings.isChecked.store(isNeeded, ordering: .releasing)
            }
        }
    }

    /// The policy and its generation; nil: every caller may call every method.
    var current: (policy: AuthorizationPolicy?, generation: Int) {
        policy.withLock { ($0, changes.load(ordering: .acquiring)) }
    }
}

extension RPCDispatcher {
    /// Replaces the policy; nil: every caller may call every method. Any thread.
    func update(_ policy: AuthorizationPolicy?) { access.update(policy, of: table.entries) }
}
