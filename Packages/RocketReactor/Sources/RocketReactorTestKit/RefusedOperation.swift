@_spi(TestKit) public import RocketReactor
public import RocketSystem

/// An operation of epoll_ctl(2) that a test makes fail, as the kernel rarely does. A value.
public enum RefusedOperation: Sendable {
    /// Registering a descriptor.
    case add
    /// Changing the interest in one.
    case change
    /// Removing one.
    case remove
}

extension Reactor {
    /// Makes this operation fail with `errno` on each registration with this label, instead of the
    /// operation of an earlier call; nil: none fails any more.
    public func refuse(_ operation: RefusedOperation, of label: String, with errno: Errno?) {
        guard let errno else {
            injectedFailure = nil
            return
        }
        let refused: PollerOperation =
            switch operation {
            case .add: .add
            case .change: .change
            case .remove: .remove
            }
        injectedFailure = { $0 == refused && $1.description == label ? errno : nil }
    }
}
