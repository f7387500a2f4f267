// The orders of the plain peer: two tables, the client's price, and one event that is sent from the request.
import express from 'express';
import mysql from 'mysql2/promise';
import { signedIn, publish, serve } from './shared.js';

const { MYSQL_HOST: host, MYSQL_PORT: port, MYSQL_USER: user, MYSQL_PASSWORD: password } = process.env;
const pool = mysql.createPool({ host, port, user, password, database: process.env.MYSQL_DATABASE, connectionLimit: 8 });
const app = express();
app.use(express.json());

const ORDER = 'SELECT id, user_id, status, total, currency, created_at FROM peer_orders';

async function withItems(orders) {
  if (!orders.length) return orders;
  const ids = orders.map((order) => order.id);
  const [items] = await pool.query('SELECT order_id, product_id, name, quantity, price FROM peer_items WHERE order_id IN (?)', [ids]);
  return orders.map((order) => ({ ...order, items: items.filter((item) => item.order_id === order.id) }));
}

app.post('/orders', signedIn, async (request, response) => {
  const { productId, quantity, productPrice } = request.body;
  const [order] = await pool.execute(
    'INSERT INTO peer_orders (user_id, status, total, currency, created_at) VALUES (?, ?, ?, ?, NOW(6))',
    [request.user.user_id, 'pending', productPrice * quantity, 'USD'],
  );
  await pool.execute('INSERT INTO peer_items (order_id, product_id, name, quantity, price) VALUES (?, ?, ?, ?, ?)', [
    order.insertId, productId, 'Lamp', quantity, productPrice,
  ]);
  await publish('peer-order-placed', String(order.insertId), { orderId: order.insertId, productId, quantity });
  response.status(201).json({ status: 'success', orderId: order.insertId });
});

app.get('/orders', signedIn, async (request, response) => {
  const [orders] = await pool.query(`${ORDER} WHERE user_id = ? ORDER BY id DESC LIMIT ?`, [
    request.user.user_id, Number(request.query.limit ?? 20),
  ]);
  response.json({ results: await withItems(orders) });
});

app.get('/orders/:id', signedIn, async (request, response) => {
  const [orders] = await pool.execute(`${ORDER} WHERE id = ? AND user_id = ?`, [request.params.id, request.user.user_id]);
  if (!orders.length) return response.sendStatus(404);
  response.json((await withItems(orders))[0]);
});

serve(app);
