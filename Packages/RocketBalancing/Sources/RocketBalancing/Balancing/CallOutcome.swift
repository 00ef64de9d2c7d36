/// How a call ended, as far as its endpoint is concerned.
public enum CallOutcome: Hashable, Sendable {
    /// The endpoint answered, if only with an error of the application.
    case success
    /// The endpoint's fault: the connection ended, the deadline passed, or an error such as INTERNAL.
    case failure
    /// The endpoint refused the call because it is overloaded or is shutting down. It costs the
    /// endpoint calls, as a failure does, but does not count for its ejection: servers at three times
    /// their load refuse most calls and would all be ejected.
    case refused
    /// The caller cancelled the call, or something else that says nothing of the endpoint.
    case ignored
}
