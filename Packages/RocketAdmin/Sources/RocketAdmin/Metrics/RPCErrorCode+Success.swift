import RocketBase

extension RPCErrorCode {
    /// The code of a call that succeeded.
    static let success = RPCErrorCode(rawValue: 0)

    /// The name that is shown, and the label `code`: `OK`, `UNAVAILABLE`, `17`.
    var label: String { self == .success ? "OK" : name }
}
