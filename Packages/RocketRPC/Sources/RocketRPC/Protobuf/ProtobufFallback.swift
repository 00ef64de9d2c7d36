/// Says that a message holds something that the fast way does not handle, or that its bytes are no
/// sound message: swift-protobuf's own codec starts over with it, and has the last word.
@usableFromInline
struct _ProtobufFallback: Error {
    @usableFromInline init() {}
}
