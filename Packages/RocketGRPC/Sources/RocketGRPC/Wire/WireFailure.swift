import RocketBase

/// Why a call can't be translated, or how it ended: its code and the text for the peer. A value.
struct WireFailure: Error, Hashable, Sendable {
    let code: RPCErrorCode
    let text: String

    init(_ code: RPCErrorCode, _ text: String) {
        self.code = code
        self.text = text
    }
}
