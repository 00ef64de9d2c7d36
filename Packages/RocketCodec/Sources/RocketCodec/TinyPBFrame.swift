/// Positions of the fields of a TinyPB frame, as offsets from its first byte.
///
/// ```
///   0     1        5            9                                              n-5       n-1
///   | 02  | pk_len | msg_id_len | msg_id … method_name … err_code … err_info | pb_data | sum | 03 |
/// ```
@frozen
public struct TinyPBFrame: Hashable, Sendable {
    /// Id of the call, opaque bytes; the response must have the same id.
    public let messageID: Range<Int>
    /// `package.Service.method`, UTF-8.
    public let methodName: Range<Int>
    /// 0 means success.
    public let errorCode: Int32
    /// Text of the error, or metadata if `errorCode` is 0.
    public let errorInfo: Range<Int>
    /// The serialized protobuf message.
    public let payload: Range<Int>

    /// Length of the whole frame, in bytes.
    @inlinable public var byteCount: Int { payload.upperBound + 5 }

    /// Length of a frame whose variable fields are all empty, in bytes.
    public static let overheadBytes = 26

    @inlinable
    init(
        messageID: Range<Int>, methodName: Range<Int>, errorCode: Int32, errorInfo: Range<Int>,
        payload: Range<Int>
    ) {
        self.messageID = messageID
        self.methodName = methodName
        self.errorCode = errorCode
        self.errorInfo = errorInfo
        self.payload = payload
    }
}
