@0xd1b5a2c7e4f80931;

interface Order {
  makeOrder @0 (price :Int32, goods :Text) -> (retCode :Int32, resInfo :Text, orderId :Text);
}
