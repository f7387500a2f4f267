// The accounts of the plain peer: register, login and the own account, on MongoDB, with bcrypt and one event.
import bcrypt from 'bcrypt';
import express from 'express';
import jwt from 'jsonwebtoken';
import { MongoClient } from 'mongodb';
import { signedIn, publish, serve } from './shared.js';

const users = new MongoClient(process.env.MONGO_URI).db().collection('users');
const app = express();
app.use(express.json());

app.post('/register', async (request, response) => {
  const { username, email, password } = request.body;
  if (await users.findOne({ email })) return response.status(409).json({ error: 'email-taken' });
  const { insertedId } = await users.insertOne({ username, email, password: await bcrypt.hash(password, 10) });
  await publish('peer-user-registered', String(insertedId), { id: insertedId, username, email });
  response.status(201).json({ status: 'User created', userId: insertedId });
});

app.post('/login', async (request, response) => {
  const user = await users.findOne({ email: request.body.email });
  if (!user || !(await bcrypt.compare(request.body.password, user.password))) return response.sendStatus(401);
  const claims = { user_id: String(user._id), email: user.email, username: user.username };
  response.json({ token: jwt.sign(claims, process.env.JWT_SECRET, { expiresIn: 3540 }) });
});

app.get('/users/me', signedIn, async (request, response) => {
  const user = await users.findOne({ email: request.user.email });
  response.json({ id: user._id, username: user.username, email: user.email });
});

serve(app);
