/// What a non-blocking call came to: an expected outcome, so a value and not an error.
@frozen
public enum IOResult<Value: Sendable>: Sendable {
    case done(Value)
    /// EAGAIN: nothing to be had now; the poller will tell when.
    case wouldBlock
}

extension IOResult: Equatable where Value: Equatable {}
