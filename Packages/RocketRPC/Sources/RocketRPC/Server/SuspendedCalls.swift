/// The calls of one connection whose handlers are suspended: all of them, and each by its msg_id.
/// Bound to the connection's loop.
struct SuspendedCalls {
    private(set) var drivers: [HandlerTask] = []
    /// Of several calls with one id the last.
    private var byID: [[UInt8]: HandlerTask] = [:]

    mutating func insert(_ driver: HandlerTask) {
        driver.waitingIndex = drivers.count
        drivers.append(driver)
        byID[driver.messageID] = driver
    }

    mutating func remove(_ driver: HandlerTask) {
        guard let index = driver.waitingIndex else { return }
        driver.waitingIndex = nil
        let last = drivers.removeLast()
        if last !== driver {
            drivers[index] = last
            last.waitingIndex = index
        }
        if byID[driver.messageID] === driver { byID[driver.messageID] = nil }
    }

    func find(_ messageID: [UInt8]) -> HandlerTask? { byID[messageID] }
}
