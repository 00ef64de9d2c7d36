import RocketBase

/// The entry point of libFuzzer: reads any bytes as a configuration file. It detects crashes, hangs
/// (-timeout) and unbounded memory use (-rss_limit_mb, -malloc_limit_mb).
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do {
        let config = try RocketConfig(xml: bytes, file: "conf/fuzz.xml")
        precondition(
            config.diff(from: config).isEmpty, "a configuration does not differ from itself")
        precondition(!config.report.isEmpty, "the report is never empty")
    } catch {
        precondition(!error.description.isEmpty, "an error has a description")
    }
    return 0
}
