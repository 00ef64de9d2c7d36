import CPostgres

/// What libpq is given for a connection.
extension PostgresConnection {
    /// What counts unless the URL has something else.
    static func defaults(_ limits: PostgresLimits) -> [PostgresURL.Option] {
        typealias Option = PostgresURL.Option
        return [
            Option("target_session_attrs", "read-write"),
            // A server that has vanished is noticed also while nothing is sent, and while something is.
            Option("keepalives_idle", "5"), Option("keepalives_interval", "2"),
            Option("keepalives_count", "3"),
            Option("tcp_user_timeout", "\(limits.unacknowledged.components.seconds * 1000)"),
            // libpq reads more of it than it takes, and does not tell.
            Option("gssencmode", "disable"),
        ]
    }

    /// A notice says nothing that the result does not, but one: a commit that waited for standbys was
    /// cancelled there. It counts as committed, and no standby may have it.
    ///
    /// SAFETY: `flag` is that of the connection; the result is valid during the call.
    static let observeNotice: PQnoticeReceiver = { flag, notice in
        guard let source = unsafe PQresultErrorField(notice, Int32(UInt8(ascii: "R"))),
            unsafe String(cString: source) == "SyncRepWaitForLSN"
        else { return }
        unsafe flag?.assumingMemoryBound(to: Bool.self).pointee = true
    }

    /// - Parameter all: of equal keywords the last one counts.
    ///
    /// SAFETY: libpq copies the strings.
    static func start(_ all: [PostgresURL.Option]) -> OpaquePointer? {
        var strings: [UnsafeMutablePointer<CChar>?] = unsafe []
        defer { unsafe strings.forEach { unsafe $0?.deallocate() } }
        func list(_ texts: [String]) -> [UnsafePointer<CChar>?] {
            var pointers: [UnsafePointer<CChar>?] = unsafe []
            for text in texts {
                let bytes = Array(text.utf8CString)
                let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
                unsafe copy.initialize(from: bytes, count: bytes.count)
                unsafe strings.append(copy)
                unsafe pointers.append(UnsafePointer(copy))
            }
            unsafe pointers.append(nil)
            return unsafe pointers
        }
        let keywords = unsafe list(all.map(\.keyword))
        let values = unsafe list(all.map(\.value))
        return unsafe PQconnectStartParams(keywords, values, 1)
    }
}

extension PostgresParameters {
    /// SAFETY: the pointers are valid during the call of `body`.
    func withPointers(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>,
            UnsafePointer<Int32>
        ) -> Int32
    ) -> Int32 {
        // One byte more: the start of an empty text at the end is a valid pointer.
        let all = bytes + [0]
        return unsafe all.withUnsafeBufferPointer { all in
            var values: [UnsafePointer<CChar>?] = unsafe []
            var lengths: [Int32] = []
            var start = 0
            for end in ends {
                guard let end, let base = all.baseAddress else {
                    unsafe values.append(nil)
                    lengths.append(0)
                    continue
                }
                unsafe values.append(
                    UnsafeRawPointer(base + start).assumingMemoryBound(to: CChar.self))
                lengths.append(Int32(end - start))
                start = end
            }
            let formats = [Int32](repeating: 1, count: ends.count)
            return unsafe body(Int32(ends.count), values, lengths, formats)
        }
    }
}
