import RocketRPC

/// What has become of the calls.
struct Totals {
    var begun = 0
    var succeeded = 0
    var errors: [String: Int] = [:]
    var servers: [String: Int] = [:]
    var slowestMilliseconds = 0

    func line(_ statistics: RPCChannelStatistics) -> String {
        func object(_ counts: [String: Int]) -> String {
            let pairs = counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
            return "{" + pairs.joined(separator: ",") + "}"
        }
        let failed = errors.values.reduce(0, +)
        return "{\"begun\":\(begun),\"succeeded\":\(succeeded),\"failed\":\(failed),"
            + "\"errors\":\(object(errors)),\"servers\":\(object(servers)),"
            + "\"slowest_ms\":\(slowestMilliseconds),\"retries\":\(statistics.retries),"
            + "\"retries_refused\":\(statistics.retriesRefused),"
            + "\"lost\":\(statistics.connectionsLost),\"ejections\":\(statistics.ejections),"
            + "\"resolutions\":\(statistics.resolutions),"
            + "\"resolution_failures\":\(statistics.resolutionFailures)}"
    }
}
