import SwiftProtobuf

/// Fills `int32 ret_code` and `string res_info` of a response message, where it has them.
///
/// swift-protobuf shows no reflection, but its JSON reader knows every field by its .proto name
/// and refuses what the message does not have: just the question asked here.
enum BusinessFields {
    /// nil for other errors, and where the message lacks one of the fields or has it with another
    /// type.
    static func response<Response: Message>(for error: any Error) -> Response? {
        guard let error = error as? BusinessError,
            let info = try? Google_Protobuf_StringValue(error.info).jsonString()
        else { return nil }
        return try? Response(
            jsonString: "{\"ret_code\":\(error.code),\"res_info\":\(info)}")
    }
}
