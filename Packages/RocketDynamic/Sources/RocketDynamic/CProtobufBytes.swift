import CRocketProtobuf

/// Bytes that the C functions have made; frees them at the end of its life.
@safe struct CProtobufBytes: ~Copyable {
    private let pointer: OpaquePointer

    /// Takes over the bytes; nil: there are none.
    init?(_ pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.pointer = pointer
    }

    deinit { unsafe rocket_protobuf_bytes_free(pointer) }

    /// A copy.
    var bytes: [UInt8] {
        // SAFETY: the memory has that many bytes, and lives as long as `self`.
        unsafe [UInt8](
            UnsafeRawBufferPointer(
                start: rocket_protobuf_bytes_data(pointer),
                count: rocket_protobuf_bytes_count(pointer)))
    }

    /// A copy as text; what is not UTF-8 is replaced.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
