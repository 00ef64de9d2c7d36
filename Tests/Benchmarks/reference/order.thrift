struct Request {
  1: i32 price
  2: string goods
}

struct Response {
  1: i32 ret_code
  2: string res_info
  3: string order_id
}

service Order {
  Response makeOrder(1: Request request)
}
