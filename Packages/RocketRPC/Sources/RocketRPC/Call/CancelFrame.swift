/// The frame that gives a call up: its msg_id is the call's, its method_name the one here, its
/// metadata and its message are empty, and it is never answered. See docs/decisions/0006.
enum CancelFrame {
    /// C++ peers that don't know it never answer it; C++ rocket takes no name with two dots.
    static let methodName = "rocket.cancel"
    static let methodNameBytes = [UInt8](methodName.utf8)

    static func isCancel(_ name: RawSpan) -> Bool {
        // SAFETY: the array is never changed.
        sameBytes(name, unsafe methodNameBytes.span.bytes)
    }
}
